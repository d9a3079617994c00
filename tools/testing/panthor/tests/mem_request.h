/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of requests for the memory of a process share, mem_reclaim and
 * mem_claim in sysfs.
 */
#ifndef MEM_REQUEST_H
#define MEM_REQUEST_H

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/capability.h>

#include "evict.h"
#include "pan_child.h"

#define GPU_PAGES	61ULL
#define CPU_PAGES	67ULL
#define IDLE_PAGES	71ULL

/* A process with a buffer in each list, and nothing else that can be evicted. */
struct client {
	struct pan_dev dev;
	struct pan_ctx ctx;
	struct pan_bo gpu, cpu, idle;
	__u64 seed;
};

static inline int fill_by_cpu(struct pan_dev *dev, __u64 pages, __u64 seed, struct pan_bo *bo)
{
	int ret;

	ret = pan_bo_create(dev, pages * PAN_PAGE_SIZE, 0, NULL, bo);
	if (!ret)
		ret = pan_bo_mmap(bo);
	if (!ret)
		pan_fill(bo->map, bo->size, seed);
	return ret;
}

static inline int client_start(struct client *c)
{
	int ret;

	ret = pan_open(&c->dev);
	if (!ret)
		ret = pan_ctx_create(&c->dev, 1, &c->ctx);
	if (!ret)
		ret = pan_bo_create_mapped(&c->ctx.vm, GPU_PAGES * PAN_PAGE_SIZE, PAN_PAGE_SIZE,
					   true, &c->gpu);
	if (!ret)
		ret = pan_gpu_fill(&c->ctx, c->gpu.va, c->gpu.size, c->seed);
	if (!ret)
		ret = fill_by_cpu(&c->dev, CPU_PAGES, c->seed, &c->cpu);
	if (!ret)
		ret = fill_by_cpu(&c->dev, IDLE_PAGES, c->seed, &c->idle);
	return ret ? ret : pan_bo_munmap(&c->idle);
}

static inline int client_verify(struct client *c)
{
	__u64 wrong = 0;
	int ret;

	ret = pan_gpu_verify(&c->ctx, c->gpu.va, c->gpu.size, c->seed, &wrong);
	if (!ret)
		ret = pan_bo_mmap(&c->idle);
	if (ret)
		return ret;
	wrong += pan_verify(c->cpu.map, c->cpu.size, c->seed);
	wrong += pan_verify(c->idle.map, c->idle.size, c->seed);
	pan_bo_munmap(&c->idle);
	return wrong ? -EILSEQ : 0;
}

/* A client in a process of its own: is asked to verify, any number of times. */
static inline int client_process(struct pan_child *self)
{
	struct client *c = self->arg;
	__s64 go_on = 1;
	int ret = client_start(c);

	while (!ret && go_on) {
		ret = pan_child_tell(self, getpid());
		if (!ret)
			ret = pan_child_hear(self, &go_on);
		if (!ret && go_on)
			ret = client_verify(c);
	}
	return ret;
}

static inline void client_stop(struct client *c)
{
	pan_bo_munmap(&c->cpu);
	pan_bo_munmap(&c->ctx.streams);
	pan_bo_munmap(&c->ctx.result);
	pan_close(&c->dev);
}

static inline void start_client(struct __test_metadata *_metadata, struct client *client,
				struct pan_child *child)
{
	__s64 pid;

	ASSERT_EQ(0, pan_child_start(child, client_process, client));
	ASSERT_EQ(0, pan_child_hear(child, &pid));
	ASSERT_EQ(child->pid, pid);
}

static inline void verify_client(struct __test_metadata *_metadata, struct pan_child *child)
{
	__s64 pid;

	ASSERT_EQ(0, pan_child_tell(child, 1));
	ASSERT_EQ(0, pan_child_hear(child, &pid));
}

static inline void stop_client(struct __test_metadata *_metadata, struct pan_child *child)
{
	int result = -1;

	ASSERT_EQ(0, pan_child_tell(child, 0));
	ASSERT_EQ(0, pan_child_wait(child, &result));
	EXPECT_EQ(0, result);
}

/* How often the three buffers of a process were evicted, each the same. */
static inline void expect_evictions(struct __test_metadata *_metadata, struct pan_dev *dev,
				    pid_t pid, __u64 evictions)
{
	const __u64 pages[] = { GPU_PAGES, CPU_PAGES, IDLE_PAGES };
	struct pan_gem gem;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		ASSERT_EQ(0, pan_gems_find(dev, pid, pages[i] * PAN_PAGE_SIZE, &gem));
		EXPECT_EQ(evictions, gem.evictions)
			TH_LOG("buffer of %llu pages", pages[i]);
	}
}

static inline int drop_capability(int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[cap / 32].effective &= ~(1U << cap % 32);
	data[cap / 32].permitted &= ~(1U << cap % 32);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* A number that nobody has. */
static inline pid_t nobody(struct __test_metadata *_metadata)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	return pid;
}

/**
 * struct namespace_part - What happens in a PID namespace.
 * @fn: function of process 1 there
 * @client: its client
 */
struct namespace_part {
	int (*fn)(struct pan_child *self);
	struct client *client;
};

/* Makes a namespace, and carries messages to its process 1 and back, until -1 is one. */
static inline int namespace_process(struct pan_child *self)
{
	struct namespace_part *part = self->arg;
	struct pan_child child;
	__s64 value;
	int ret, result;

	if (unshare(CLONE_NEWPID))
		return -errno;
	ret = pan_child_start(&child, part->fn, part->client);
	if (ret)
		return ret;
	/* Carry the messages; the one to begin with is the child's number here. */
	ret = pan_child_tell(self, child.pid);
	while (!ret) {
		ret = pan_child_hear(self, &value);
		if (!ret && value == -1)
			break;
		if (!ret)
			ret = pan_child_tell(&child, value);
		if (!ret)
			ret = pan_child_hear(&child, &value);
		if (!ret)
			ret = pan_child_tell(self, value);
	}
	if (!ret)
		ret = pan_child_wait(&child, &result);
	return ret ? ret : result;
}

static inline int start_held_job(struct pan_ctx *ctx)
{
	struct pan_cs cs;

	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	return pan_ctx_start(ctx, 0, &cs);
}

/* Whom a process asks for all the time, and with which files, in turn. */
struct writing {
	char paths[2][PATH_MAX + 16];
	size_t count;
	pid_t pid;
};

/* Writes until nobody is there any more. */
static inline int writer(struct pan_child *self)
{
	struct writing *writing = self->arg;
	char proc[32], text[16];
	int fds[2], ret = 0;
	size_t i;

	for (i = 0; !ret && i < writing->count; i++) {
		fds[i] = open(writing->paths[i], O_WRONLY);
		ret = fds[i] < 0 ? -errno : 0;
	}
	snprintf(proc, sizeof(proc), "/proc/%d", writing->pid);
	snprintf(text, sizeof(text), "%d", writing->pid);
	for (i = 0; !ret && !access(proc, F_OK); i++) {
		ret = pwrite(fds[i % writing->count], text, strlen(text), 0) < 0 ? -errno : 0;
		if (ret == -EAGAIN)
			ret = 0;
		if (!i)
			pan_child_tell(self, ret);
	}
	return ret;
}

/* Returns when it has written once. */
static inline void start_writer(struct __test_metadata *_metadata, struct writing *writing,
				pid_t pid, struct pan_child *child)
{
	__s64 first;

	writing->pid = pid;
	ASSERT_EQ(0, pan_child_start(child, writer, writing));
	ASSERT_EQ(0, pan_child_hear(child, &first));
	EXPECT_EQ(0, first);
}

static inline void on_alarm(int sig)
{
}

#endif /* MEM_REQUEST_H */
