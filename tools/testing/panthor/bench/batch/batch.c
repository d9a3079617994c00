// SPDX-License-Identifier: GPL-2.0
/*
 * Carry out many system calls in one, see batch.h. For benchmarks: only root can
 * open it, and it passes what it's given to whichever file it's told to.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "batch.h"

static long batch_ioctl(struct file *file, const struct batch_call *call)
{
	if (!file->f_op->unlocked_ioctl)
		return -ENOTTY;

	return file->f_op->unlocked_ioctl(file, call->cmd, call->arg);
}

static long batch_mmap(struct file *file, const struct batch_call *call)
{
	return vm_mmap(file, 0, call->size, PROT_READ | PROT_WRITE, MAP_SHARED, call->arg);
}

static long batch_touch(const struct batch_call *call)
{
	return put_user(0x5a5a1234, (u32 __user *)u64_to_user_ptr(call->arg));
}

static long batch_call(const struct batch_call *call)
{
	struct file *file;
	long ret;

	if (call->what == BATCH_TOUCH)
		return batch_touch(call);

	file = fget(call->fd);
	if (!file)
		return -EBADF;

	if (call->what == BATCH_IOCTL)
		ret = batch_ioctl(file, call);
	else if (call->what == BATCH_MMAP)
		ret = batch_mmap(file, call);
	else
		ret = -EINVAL;
	fput(file);

	return ret;
}

static long batch_run(struct batch *batch)
{
	struct batch_call __user *user = u64_to_user_ptr(batch->calls);
	struct batch_call *calls;
	long ret = 0;
	u64 start, i;

	if (batch->count > BATCH_MAX)
		return -EINVAL;

	calls = memdup_array_user(user, batch->count, sizeof(*calls));
	if (IS_ERR(calls))
		return PTR_ERR(calls);

	start = ktime_get_ns();
	for (i = 0; i < batch->count; i++)
		calls[i].ret = batch_call(&calls[i]);
	batch->ns = ktime_get_ns() - start;

	if (copy_to_user(user, calls, array_size(batch->count, sizeof(*calls))))
		ret = -EFAULT;
	kfree(calls);

	return ret;
}

static long batch_dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct batch batch;
	long ret;

	if (cmd != BATCH_RUN)
		return -ENOTTY;
	if (copy_from_user(&batch, (void __user *)arg, sizeof(batch)))
		return -EFAULT;

	ret = batch_run(&batch);
	if (!ret && copy_to_user((void __user *)arg, &batch, sizeof(batch)))
		ret = -EFAULT;

	return ret;
}

static const struct file_operations batch_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = batch_dev_ioctl,
};

static struct miscdevice batch_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "batch",
	.fops = &batch_fops,
	.mode = 0600,
};
module_misc_device(batch_device);

MODULE_DESCRIPTION("Many system calls in one, for benchmarks");
MODULE_LICENSE("GPL");
