// SPDX-License-Identifier: GPL-2.0
/*
 * Something to look at with a profiler, see scripts/profile.sh: what A.mmap-fault of
 * costs.c measures, mmap() and the first access to each of many new buffers, for
 * long enough to have samples. Run on both kernels.
 *
 * guest: --mem 512M
 */
#include "bench.h"

#define BUFFERS		4096
#define TIMES		60

static void map_and_touch(struct pan_dev *dev)
{
	static struct pan_bo bos[BUFFERS];
	__u64 offset;
	double us;
	int i;

	for (i = 0; i < BUFFERS; i++) {
		MUST(pan_bo_create(dev, PAN_PAGE_SIZE, 0, NULL, &bos[i]));
		MUST(pan_bo_mmap_offset(&bos[i], &offset));
	}
	printf("begin faults\n");
	fflush(stdout);
	us = TIME_US(for (i = 0; i < BUFFERS; i++) {
			     MUST(pan_bo_mmap(&bos[i]));
			     memory_touch(bos[i].map, 1);
		     });
	printf("end faults %d %f\n", BUFFERS, us / BUFFERS);
	fflush(stdout);
	for (i = 0; i < BUFFERS; i++)
		MUST(pan_bo_close(&bos[i]));
}

int main(void)
{
	struct pan_dev dev;
	int i;

	bench_open(&dev);
	for (i = 0; i < TIMES; i++)
		map_and_touch(&dev);
	pan_close(&dev);
	return 0;
}
