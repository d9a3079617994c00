// SPDX-License-Identifier: GPL-2.0
/*
 * Something to look at with a profiler, see scripts/profile.sh: what A.bo-life of
 * costs.c measures, buffers that are created, bound, unbound and closed, for long
 * enough to have samples. Run on both kernels.
 *
 * guest: --mem 512M
 */
#include "bench.h"

#define ROUNDS_EACH	200
#define TIMES		20

int main(void)
{
	struct client client;
	struct pan_dev dev;
	double us;
	int i, n;
	__u64 va;

	bench_open(&dev);
	client_create(&dev, &client);
	client_on_slot(&client);
	va = pan_vm_alloc_va(&client.ctx.vm, OPS * PAN_PAGE_SIZE, PAN_SZ_2M);
	for (i = 0; i < TIMES; i++) {
		printf("begin lives\n");
		fflush(stdout);
		us = TIME_US(for (n = 0; n < ROUNDS_EACH; n++)
				     buffers_live(&client.ctx.vm, PAN_PAGE_SIZE, va));
		printf("end lives %d %f\n", ROUNDS_EACH * OPS, us / ROUNDS_EACH / OPS);
		fflush(stdout);
	}
	client_destroy(&client);
	pan_close(&dev);
	return 0;
}
