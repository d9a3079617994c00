// SPDX-License-Identifier: GPL-2.0
/*
 * Something to look at with a profiler, see scripts/profile.sh: what A.mmap-fault,
 * A.bo-life and A.map of costs.c measure, for long enough to have samples. Run on both
 * kernels.
 *
 * guest: --mem 512M
 */
#include "bench.h"

#define TIMES		1000

/* What was done, for the profiler to divide by: how often, what it took. */
static void report(const char *name, double *us)
{
	printf("did %s %d %f\n", name, TIMES * BATCH_MAX, bench_median(us, TIMES));
}

int main(void)
{
	struct client client;
	static double us[TIMES];
	struct pan_dev dev;
	struct pan_bo bo;
	__u64 va;
	int i;

	bench_open(&dev);
	client_create(&dev, &client);
	va = pan_vm_alloc_va(&client.ctx.vm, BATCH_MAX * PAN_SZ_64K, PAN_SZ_2M);

	calls_watch("faults");
	for (i = 0; i < TIMES; i++)
		us[i] = faults_us(&dev, BATCH_MAX);
	report("faults", us);

	calls_watch("lives");
	for (i = 0; i < TIMES; i++)
		us[i] = lives_us(&client.ctx.vm, va, BATCH_MAX);
	report("lives", us);

	/* one of its mappings stays, so that the memory does */
	MUST(pan_bo_create_mapped(&client.ctx.vm, PAN_SZ_64K, PAN_SZ_64K, true, &bo));
	calls_watch("maps");
	for (i = 0; i < TIMES; i++)
		us[i] = maps_us(&bo, &client.ctx.vm, va, BATCH_MAX);
	report("maps", us);
	MUST(pan_bo_close(&bo));

	client_destroy(&client);
	pan_close(&dev);
	return 0;
}
