// SPDX-License-Identifier: GPL-2.0
/*
 * M: memory that the driver needs for itself, by buffer and by VM. Run on both
 * kernels.
 *
 * guest: --mem 512M
 * trees: both
 */
#include "bench.h"

#define BUFFERS		10000
#define VMS		992		/* 31 files full */
#define VMS_PER_FILE	32

/* The pages of the buffers are not among this. */
static double slab(void)
{
	__u64 bytes;

	MUST(pan_meminfo("Slab", &bytes));
	return bytes;
}

static void measure_buffers(struct pan_dev *dev)
{
	struct pan_bo *bos = calloc(BUFFERS, sizeof(*bos));
	double before, created, bound, evicted;
	struct pan_vm vm;
	int i;

	MUST(pan_vm_create(dev, 0, &vm));
	before = slab();
	for (i = 0; i < BUFFERS; i++)
		MUST(pan_bo_create(dev, PAN_PAGE_SIZE, 0, &vm, &bos[i]));
	created = slab() - before;
	buffers_bind(&vm, bos, BUFFERS, pan_vm_alloc_va(&vm, BUFFERS * PAN_PAGE_SIZE, PAN_SZ_2M));
	bound = slab() - before;
	bench_sample("bytes", created / BUFFERS, "M.buffer.created");
	bench_sample("bytes", bound / BUFFERS, "M.buffer.bound");
	if (pan_has_shrink(dev)) {
		shrink(dev, EVERYTHING);
		evicted = slab() - before;
		bench_sample("bytes", evicted / BUFFERS, "M.buffer.evicted");
	}
	for (i = 0; i < BUFFERS; i++)
		MUST(pan_bo_close(&bos[i]));
	MUST(pan_vm_destroy(&vm));
	free(bos);
}

static void measure_vms(struct pan_dev *dev)
{
	static struct pan_dev files[VMS / VMS_PER_FILE];
	struct pan_vm vm;
	double before = 0, size;
	int i;

	for (i = 0; i < VMS / VMS_PER_FILE; i++)
		MUST(pan_reopen(dev, &files[i]));
	/* the first ones fill caches */
	for (i = 0; i < VMS; i++) {
		if (i == VMS_PER_FILE)
			before = slab();
		MUST(pan_vm_create(&files[i / VMS_PER_FILE], 0, &vm));
	}
	size = (slab() - before) / (VMS - VMS_PER_FILE);
	bench_sample("bytes", size, "M.vm");
	for (i = 0; i < VMS / VMS_PER_FILE; i++)
		pan_close(&files[i]);
}

/* Code and static data; what is allocated for a device is tiny beside that. */
static void measure_module(void)
{
	__u64 bytes;

	MUST(pan_read_u64("/sys/module/panthor/coresize", &bytes));
	bench_sample("bytes", bytes, "M.module");
}

int main(void)
{
	struct pan_dev dev;

	bench_open(&dev);
	measure_vms(&dev);
	measure_buffers(&dev);
	measure_module();
	pan_close(&dev);
	return 0;
}
