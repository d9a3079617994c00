// SPDX-License-Identifier: GPL-2.0
/*
 * A: what those pay who don't need reclaim. Run on both kernels.
 *
 * guest: --mem 512M
 * trees: both
 */
#include "bench.h"

#define REPEAT		100
#define TRIPS		1000
#define LIVES		1000
#define BUFFERS		10
#define JOBS		64
#define RING_SIZE	(64 << 10)

/* Many jobs in an ioctl. */
static void submit(struct client *client)
{
	struct drm_panthor_sync_op done = pan_signal_op(client->ctx.sync);
	struct drm_panthor_queue_submit jobs[JOBS];
	struct pan_group group;
	double us[REPEAT];
	int i;

	for (i = 0; i < JOBS; i++)
		jobs[i] = (struct drm_panthor_queue_submit) {
			.stream_addr = client->job, .stream_size = client->job_size,
		};
	jobs[JOBS - 1].syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &done);
	MUST(pan_group_create(&client->ctx.vm, 1, RING_SIZE, PANTHOR_GROUP_PRIORITY_MEDIUM,
			      &group));
	for (i = 0; i < REPEAT; i++) {
		bench_wait_quiet();
		us[i] = TIME_US(MUST(pan_group_submit(&group, jobs, JOBS)));
		client_wait(client);
	}
	bench_sample("us/job", bench_median(us, REPEAT) / JOBS, "A.submit");
	MUST(pan_group_destroy(&group));
}

/* What's left after all that can disturb is the shortest. */
static void round_trip(struct client *client)
{
	static double us[TRIPS];
	int i;

	for (i = 0; i < TRIPS; i++) {
		bench_wait_quiet();
		us[i] = TIME_US(client_submit(client); client_wait(client));
	}
	bench_sample("us", bench_min(us, TRIPS), "A.round-trip");
}

/* Map a buffer many times in an ioctl, unmap it from there. */
static void bind_one(struct pan_vm *vm, const struct pan_bo *bo, __u64 va,
		     double *map_us, double *unmap_us)
{
	struct drm_panthor_vm_bind_op map[OPS], unmap[OPS];
	int i;

	for (i = 0; i < OPS; i++, va += bo->size) {
		map[i] = pan_op_map(bo, 0, va, bo->size, 0);
		unmap[i] = pan_op_unmap(va, bo->size);
	}
	for (i = 0; i < REPEAT / BUFFERS; i++) {
		bench_wait_quiet();
		map_us[i] = TIME_US(MUST(pan_vm_bind(vm, 0, map, OPS, NULL)));
		unmap_us[i] = TIME_US(MUST(pan_vm_bind(vm, 0, unmap, OPS, NULL)));
	}
}

/*
 * How long it takes to map a buffer depends on how scattered its pages are, which
 * is luck: there are several. Each has a mapping that stays, so that the memory
 * does.
 */
static void bind(struct client *client, __u64 size, const char *power)
{
	double map_us[REPEAT], unmap_us[REPEAT];
	struct pan_vm *vm = &client->ctx.vm;
	struct pan_bo bos[BUFFERS];
	__u64 va;
	int i;

	va = pan_vm_alloc_va(vm, OPS * size, size);
	for (i = 0; i < BUFFERS; i++) {
		MUST(pan_bo_create_mapped(vm, size, size, true, &bos[i]));
		bind_one(vm, &bos[i], va, map_us + i * REPEAT / BUFFERS,
			 unmap_us + i * REPEAT / BUFFERS);
	}
	bench_sample("us", bench_median(map_us, REPEAT) / OPS, "A.map.%s.%s",
		     bench_size_name(size), power);
	bench_sample("us", bench_median(unmap_us, REPEAT) / OPS, "A.unmap.%s.%s",
		     bench_size_name(size), power);
	for (i = 0; i < BUFFERS; i++)
		MUST(pan_bo_close(&bos[i]));
}

/* So short that the caches decide: these are about the best cases. */
static void cpu_map(struct pan_dev *dev)
{
	static double us[LIVES];
	int i;

	for (i = 0; i < LIVES; i++) {
		bench_wait_quiet();
		us[i] = faults_us(dev, OPS);
	}
	bench_sample("us", bench_min(us, LIVES), "A.mmap-fault");
}

static void bo_life(struct client *client)
{
	__u64 va = pan_vm_alloc_va(&client->ctx.vm, OPS * PAN_PAGE_SIZE, PAN_SZ_2M);
	static double us[LIVES];
	int i;

	for (i = 0; i < LIVES; i++) {
		bench_wait_quiet();
		us[i] = lives_us(&client->ctx.vm, va, OPS);
	}
	bench_sample("us", bench_min(us, LIVES), "A.bo-life");
}

int main(void)
{
	struct client client;
	struct pan_dev dev;

	bench_open(&dev);
	client_create(&dev, &client);

	client_on_slot(&client);
	submit(&client);
	round_trip(&client);
	bind(&client, PAN_SZ_64K, "awake");
	bind(&client, PAN_SZ_2M, "awake");

	gpu_suspend(&dev);
	bind(&client, PAN_SZ_64K, "suspended");
	bind(&client, PAN_SZ_2M, "suspended");
	cpu_map(&dev);
	bo_life(&client);

	client_destroy(&client);
	pan_close(&dev);
	return 0;
}
