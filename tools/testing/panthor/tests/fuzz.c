// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls at random, with arguments that are right, nearly right, or nonsense,
 * while somebody shrinks. Whatever the driver says, it says it with an errno
 * that makes sense, and it goes on working. Case 19.
 *
 * SOAK=n makes it n minutes. A run is repeated with its PAN_SEED, as far as what
 * happens at the same time allows.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "evict.h"
#include "pan_child.h"

#define DEFAULT_MS	15000
/* It takes as long as it takes to do that many calls. */
#define MIN_CALLS	500
#define MAX_HANDLES	24
#define MAX_ERRNO	4095
#define POOL_PAGES	64

/* Handles that were given out, valid or not any more. */
struct pool {
	__u32 ids[MAX_HANDLES];
	unsigned int count;
};

struct fuzz {
	struct pan_dev dev;
	__u64 rand;
	__u64 end_ms;
	__u64 calls, worked;
	struct pool vms, bos, groups, heaps, syncs, dmabufs;
	void *maps[MAX_HANDLES];
	/* The most arguments that any ioctl takes point into here. */
	struct drm_panthor_sync_op sync_ops[4];
	struct drm_panthor_vm_bind_op bind_ops[4];
	struct drm_panthor_queue_submit submits[4];
	struct drm_panthor_queue_create queues[4];
};

FIXTURE(fuzz) {
	struct pan_env env;
	struct fuzz fuzz;
};

FIXTURE_SETUP(fuzz)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	self->fuzz.rand = pan_rand(&self->env.rand);
}

FIXTURE_TEARDOWN(fuzz)
{
	PAN_ENV_TEARDOWN(&self->env);
}

static __u64 roll(struct fuzz *f, __u64 sides)
{
	return pan_rand(&f->rand) % sides;
}

/* One of the handles; now and then one that nobody has. */
static __u32 pick(struct fuzz *f, const struct pool *pool)
{
	static const __u32 strange[] = { 0, ~0U, 1, 0x7fffffff, 0x80000000, 255, 256 };

	if (!pool->count || roll(f, 12) == 0)
		return strange[roll(f, ARRAY_SIZE(strange))];
	return pool->ids[roll(f, pool->count)];
}

/* Returns the handle that was dropped for it, 0 while there's room for all. */
static __u32 keep(struct fuzz *f, struct pool *pool, __u32 id)
{
	__u32 *at = &pool->ids[roll(f, MAX_HANDLES)], dropped = *at;

	if (pool->count < MAX_HANDLES) {
		pool->ids[pool->count++] = id;
		return 0;
	}
	*at = id;
	return dropped;
}

/* Buffers and heaps take memory, of which there's only so much. */
static void keep_bo(struct fuzz *f, __u32 handle)
{
	__u32 dropped = keep(f, &f->bos, handle);

	if (dropped)
		pan_gem_close(f->dev.fd, dropped);
}

/* Numbers near the edges of pages, blocks, and of what fits. */
static __u64 edge(struct fuzz *f)
{
	static const __u64 bases[] = {
		0, PAN_GPU_PAGE_SIZE, PAN_SZ_64K, PAN_SZ_2M, 1ULL << 30, 1ULL << 31, 1ULL << 32,
		1ULL << 39, 1ULL << 46, 1ULL << 47, 1ULL << 48, 1ULL << 63, ~0ULL,
	};
	static const __s64 offsets[] = { 0, 0, 0, 1, -1, PAN_GPU_PAGE_SIZE, -PAN_GPU_PAGE_SIZE, 8, -8 };

	return bases[roll(f, ARRAY_SIZE(bases))] + offsets[roll(f, ARRAY_SIZE(offsets))];
}

static __u64 pages(struct fuzz *f)
{
	return roll(f, 10) ? (1 + roll(f, POOL_PAGES)) * PAN_PAGE_SIZE : edge(f);
}

/* Few addresses, so that ranges meet. */
static __u64 address(struct fuzz *f)
{
	return roll(f, 10) ? 0x10000000 + roll(f, 4 * POOL_PAGES) * PAN_PAGE_SIZE : edge(f);
}

/* Mostly flags that exist, one bit wrong at times. */
static __u32 flags(struct fuzz *f, __u32 known)
{
	__u32 value = pan_rand(&f->rand) & known;

	return roll(f, 10) ? value : value ^ 1U << roll(f, 32);
}

static struct drm_panthor_obj_array array(struct fuzz *f, void *objs, __u32 stride, __u32 count)
{
	struct drm_panthor_obj_array a = {
		.stride = stride, .count = count, .array = (__u64)(unsigned long)objs,
	};

	switch (roll(f, 40)) {
	case 0: a.stride = edge(f); break;
	case 1: a.count = roll(f, 2) ? ~0U : 100000; break;
	case 2: a.array = edge(f); break;
	case 3: a.stride = stride - 8; break;
	}
	return a;
}

static struct drm_panthor_obj_array syncs(struct fuzz *f)
{
	__u32 i, count = roll(f, 3);

	for (i = 0; i < count; i++)
		f->sync_ops[i] = (struct drm_panthor_sync_op) {
			.flags = roll(f, 2) ? DRM_PANTHOR_SYNC_OP_SIGNAL : flags(f, 0x80000001),
			.handle = pick(f, &f->syncs),
			.timeline_value = roll(f, 4) ? 0 : edge(f),
		};
	return array(f, f->sync_ops, sizeof(f->sync_ops[0]), count);
}

/*
 * The ioctls. All return 0 or a negative errno.
 */

static int call(struct fuzz *f, unsigned long request, void *arg)
{
	int ret = pan_ioctl(f->dev.fd, request, arg);

	f->calls++;
	f->worked += !ret;
	return ret;
}

static int fuzz_query(struct fuzz *f)
{
	char data[512];
	struct drm_panthor_dev_query args = {
		.type = roll(f, 4),
		.size = roll(f, sizeof(data)),
		.pointer = roll(f, 4) ? (__u64)(unsigned long)data : roll(f, 2) ? 0 : edge(f),
	};

	return call(f, DRM_IOCTL_PANTHOR_DEV_QUERY, &args);
}

static int fuzz_vm_create(struct fuzz *f)
{
	struct drm_panthor_vm_create args = {
		.flags = flags(f, 0), .user_va_range = roll(f, 2) ? 0 : edge(f),
	};
	int ret = f->vms.count > 8 && roll(f, 8) ? 0 : call(f, DRM_IOCTL_PANTHOR_VM_CREATE, &args);

	if (!ret && args.id)
		keep(f, &f->vms, args.id);
	return ret;
}

static int fuzz_vm_destroy(struct fuzz *f)
{
	struct drm_panthor_vm_destroy args = { .id = pick(f, &f->vms), .pad = flags(f, 0) };

	return roll(f, 4) ? 0 : call(f, DRM_IOCTL_PANTHOR_VM_DESTROY, &args);
}

static int fuzz_vm_bind(struct fuzz *f)
{
	__u32 i, count = roll(f, 4);
	struct drm_panthor_vm_bind args = {
		.vm_id = pick(f, &f->vms), .flags = flags(f, DRM_PANTHOR_VM_BIND_ASYNC),
	};

	for (i = 0; i < count; i++)
		f->bind_ops[i] = (struct drm_panthor_vm_bind_op) {
			.flags = flags(f, 0x7) | (__u32)roll(f, 3) << 28,
			.bo_handle = roll(f, 5) ? pick(f, &f->bos) : 0,
			.bo_offset = roll(f, 2) ? 0 : pages(f),
			.va = address(f),
			.size = pages(f),
			.syncs = roll(f, 3) ? (struct drm_panthor_obj_array){} : syncs(f),
		};
	args.ops = array(f, f->bind_ops, sizeof(f->bind_ops[0]), count);
	return call(f, DRM_IOCTL_PANTHOR_VM_BIND, &args);
}

static int fuzz_vm_state(struct fuzz *f)
{
	struct drm_panthor_vm_get_state args = { .vm_id = pick(f, &f->vms) };

	return call(f, DRM_IOCTL_PANTHOR_VM_GET_STATE, &args);
}

static int fuzz_bo_create(struct fuzz *f)
{
	struct drm_panthor_bo_create args = {
		.size = pages(f), .flags = flags(f, DRM_PANTHOR_BO_NO_MMAP),
		.exclusive_vm_id = roll(f, 2) ? 0 : pick(f, &f->vms), .pad = flags(f, 0) & 1,
	};
	int ret;

	/* What can be backed can also be too much for the machine. */
	if (args.size > 4 << 20 && args.size < 1ULL << 48)
		return 0;
	ret = call(f, DRM_IOCTL_PANTHOR_BO_CREATE, &args);
	if (!ret)
		keep_bo(f, args.handle);
	return ret;
}

static int fuzz_bo_close(struct fuzz *f)
{
	struct drm_gem_close args = { .handle = pick(f, &f->bos) };

	return call(f, DRM_IOCTL_GEM_CLOSE, &args);
}

/* Maps a page, looks at it, and lets go of another mapping. */
static int fuzz_bo_mmap(struct fuzz *f)
{
	struct drm_panthor_bo_mmap_offset args = {
		.handle = pick(f, &f->bos), .pad = flags(f, 0) & 1,
	};
	void **map = &f->maps[roll(f, MAX_HANDLES)];
	int ret = call(f, DRM_IOCTL_PANTHOR_BO_MMAP_OFFSET, &args);

	if (ret)
		return ret;
	if (*map)
		munmap(*map, PAN_PAGE_SIZE);
	*map = mmap(NULL, PAN_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->dev.fd,
		    args.offset);
	if (*map == MAP_FAILED) {
		*map = NULL;
		return -errno;
	}
	pan_poke(*map, pan_peek(*map) + 1);
	return 0;
}

static int fuzz_group_create(struct fuzz *f)
{
	__u32 i, count = 1 + roll(f, 2);
	struct drm_panthor_group_create args = {
		.priority = roll(f, 10) ? roll(f, 3) : 200,
		.max_compute_cores = roll(f, 5), .max_fragment_cores = roll(f, 5),
		.max_tiler_cores = roll(f, 3), .vm_id = pick(f, &f->vms),
		.compute_core_mask = roll(f, 4) ? f->dev.gpu.shader_present : edge(f),
		.fragment_core_mask = roll(f, 4) ? f->dev.gpu.shader_present : edge(f),
		.tiler_core_mask = roll(f, 4) ? f->dev.gpu.tiler_present : edge(f),
	};
	int ret;

	if (f->groups.count >= 8 && roll(f, 4))
		return 0;
	for (i = 0; i < count; i++)
		f->queues[i] = (struct drm_panthor_queue_create) {
			.priority = roll(f, 10) ? roll(f, 16) : 255,
			.ringbuf_size = roll(f, 4) ? 4096 : edge(f) & 0xffff,
		};
	args.queues = array(f, f->queues, sizeof(f->queues[0]), count);
	ret = call(f, DRM_IOCTL_PANTHOR_GROUP_CREATE, &args);
	if (!ret)
		keep(f, &f->groups, args.group_handle);
	return ret;
}

static int fuzz_group_destroy(struct fuzz *f)
{
	struct drm_panthor_group_destroy args = { .group_handle = pick(f, &f->groups) };

	return roll(f, 4) ? 0 : call(f, DRM_IOCTL_PANTHOR_GROUP_DESTROY, &args);
}

static int fuzz_group_state(struct fuzz *f)
{
	struct drm_panthor_group_get_state args = { .group_handle = pick(f, &f->groups) };

	return call(f, DRM_IOCTL_PANTHOR_GROUP_GET_STATE, &args);
}

/*
 * Streams of zeroes or of whatever is there: no job waits for anything, so that
 * a fault is the worst that can happen. Some have no stream at all.
 */
static int fuzz_group_submit(struct fuzz *f)
{
	__u32 i, count = roll(f, 3);
	struct drm_panthor_group_submit args = {
		.group_handle = pick(f, &f->groups), .pad = flags(f, 0) & 1,
	};

	for (i = 0; i < count; i++)
		f->submits[i] = (struct drm_panthor_queue_submit) {
			.queue_index = roll(f, 3),
			.stream_size = roll(f, 3) ? 0 : roll(f, 8) ? 8 * roll(f, 64) : edge(f),
			.stream_addr = address(f),
			.latest_flush = roll(f, 2),
			.syncs = roll(f, 2) ? (struct drm_panthor_obj_array){} : syncs(f),
		};
	args.queue_submits = array(f, f->submits, sizeof(f->submits[0]), count);
	return call(f, DRM_IOCTL_PANTHOR_GROUP_SUBMIT, &args);
}

static int fuzz_heap_create(struct fuzz *f)
{
	struct drm_panthor_tiler_heap_create args = {
		.vm_id = pick(f, &f->vms), .initial_chunk_count = roll(f, 4),
		.chunk_size = roll(f, 4) ? 256 << 10 : edge(f), .max_chunks = roll(f, 6),
		.target_in_flight = roll(f, 3),
	};
	int ret;

	if (f->heaps.count >= 8 && roll(f, 4))
		return 0;
	ret = call(f, DRM_IOCTL_PANTHOR_TILER_HEAP_CREATE, &args);
	if (!ret)
		pan_heap_destroy(&f->dev, keep(f, &f->heaps, args.handle));
	return ret;
}

static int fuzz_heap_destroy(struct fuzz *f)
{
	struct drm_panthor_tiler_heap_destroy args = { .handle = pick(f, &f->heaps) };

	return call(f, DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY, &args);
}

static int fuzz_prime(struct fuzz *f)
{
	struct drm_prime_handle args = { .flags = flags(f, DRM_CLOEXEC | DRM_RDWR) };
	int ret;

	if (f->dmabufs.count && roll(f, 2)) {
		args.fd = f->dmabufs.ids[roll(f, f->dmabufs.count)];
		ret = call(f, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);
		if (!ret)
			keep_bo(f, args.handle);
		return ret;
	}
	args.handle = pick(f, &f->bos);
	ret = call(f, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);
	if (ret)
		return ret;
	if (f->dmabufs.count == MAX_HANDLES)
		close(f->dmabufs.ids[--f->dmabufs.count]);
	keep(f, &f->dmabufs, args.fd);
	return 0;
}

static int fuzz_sync(struct fuzz *f)
{
	__u32 handle = 0;
	int ret = 0;

	if (f->syncs.count < 6) {
		ret = pan_sync_create(&f->dev, &handle);
		if (!ret)
			keep(f, &f->syncs, handle);
	} else if (roll(f, 2)) {
		ret = pan_sync_signal(&f->dev, pick(f, &f->syncs));
	} else {
		ret = pan_sync_wait(&f->dev, pick(f, &f->syncs), 1);
	}
	return ret;
}

/* A number of our driver's, with any size and direction, and nonsense in it. */
static int fuzz_raw(struct fuzz *f)
{
	__u64 args[64];
	unsigned long nr = DRM_COMMAND_BASE + roll(f, 16);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(args); i++)
		args[i] = roll(f, 3) ? 0 : edge(f);
	/* Large buffers and long lists are for the other functions. */
	if (nr == DRM_COMMAND_BASE + DRM_PANTHOR_BO_CREATE)
		args[0] = pages(f) & 0x3fffff;
	return call(f, _IOC(roll(f, 4), DRM_IOCTL_BASE, nr, roll(f, sizeof(args))), args);
}

static int (* const steps[])(struct fuzz *f) = {
	fuzz_query, fuzz_vm_create, fuzz_vm_destroy, fuzz_vm_bind, fuzz_vm_bind, fuzz_vm_bind,
	fuzz_vm_bind, fuzz_vm_state, fuzz_bo_create, fuzz_bo_create, fuzz_bo_close, fuzz_bo_mmap,
	fuzz_bo_mmap, fuzz_group_create, fuzz_group_destroy, fuzz_group_state, fuzz_group_submit,
	fuzz_group_submit, fuzz_group_submit, fuzz_heap_create, fuzz_heap_destroy, fuzz_prime,
	fuzz_sync, fuzz_sync, fuzz_raw,
};

/* What user space may be told. ENOSYS, EIO, EPROTO and the like it may not. */
static bool is_sensible(int ret)
{
	switch (-ret) {
	case 0: case EINVAL: case ENOENT: case ENOMEM: case EFAULT: case E2BIG: case EACCES:
	case EPERM: case ENOTTY: case EBUSY: case ECANCELED: case ENOSPC: case EOVERFLOW:
	case ERANGE: case ETIME: case EBADF: case EOPNOTSUPP: case EAGAIN:
		return true;
	}
	return false;
}

static int fuzz_process(struct pan_child *self)
{
	struct fuzz *f = self->arg;
	unsigned int step = 0;
	int ret;

	/* A list of 100000 may take the ioctl some seconds to refuse. */
	ret = pan_open(&f->dev);
	while (is_sensible(ret) && (pan_now_ms() < f->end_ms || f->calls <= MIN_CALLS)) {
		step = roll(f, ARRAY_SIZE(steps));
		ret = steps[step](f);
	}
	if (!is_sensible(ret)) {
		printf("# step %u of the table says %d\n", step, ret);
		fflush(stdout);
	}
	pan_child_tell(self, f->calls);
	pan_child_tell(self, f->worked);
	return is_sensible(ret) ? 0 : ret;
}

static int shrink_writer(struct pan_child *self)
{
	struct fuzz *f = self->arg;
	struct pan_dev dev;
	int ret = pan_open(&dev);

	while (!ret && pan_now_ms() < f->end_ms) {
		ret = pan_shrink(&dev, roll(f, 500), NULL);
		usleep(roll(f, 5000));
	}
	return ret;
}

static __u64 duration_ms(void)
{
	const char *soak = getenv("SOAK");
	__u64 minutes;

	return soak && !pan_parse_u64(soak, 10, &minutes) && minutes ? minutes * 60000 : DEFAULT_MS;
}

static void expect_ends_well(struct __test_metadata *_metadata, struct pan_child *child)
{
	int result = 0;

	EXPECT_EQ(0, pan_child_wait(child, &result));
	EXPECT_EQ(0, result);
}

TEST_F_TIMEOUT(fuzz, random_ioctls, 100000)
{
	__u64 seed = pan_rand(&self->env.rand);
	struct pan_child child, shrink;
	__s64 calls = 0, worked = 0;
	__u32 state = 0, fatal_queues;
	struct pan_ctx ctx;
	struct pan_bo bo;

	/* A bystander, who must not notice. */
	ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &ctx));
	ASSERT_EQ(0, pan_bo_create_mapped(&ctx.vm, 50 * PAN_PAGE_SIZE, PAN_PAGE_SIZE, true, &bo));
	ASSERT_EQ(0, pan_gpu_fill(&ctx, bo.va, bo.size, seed));
	self->fuzz.end_ms = pan_now_ms() + duration_ms();
	ASSERT_EQ(0, pan_child_start(&child, fuzz_process, &self->fuzz));
	ASSERT_EQ(0, pan_child_start(&shrink, shrink_writer, &self->fuzz));
	while (pan_now_ms() < self->fuzz.end_ms && __test_passed(_metadata)) {
		EXPECT_GPU_SEES(&ctx, bo.va, bo.size, seed);
		usleep(200000);
	}
	EXPECT_EQ(0, pan_group_state(&ctx.group, &state, &fatal_queues));
	EXPECT_EQ(0, state);
	EXPECT_EQ(0, pan_child_hear(&child, &calls));
	EXPECT_EQ(0, pan_child_hear(&child, &worked));
	TH_LOG("%lld calls, %lld of which worked", calls, worked);
	EXPECT_LT(MIN_CALLS, calls);
	EXPECT_LT(calls / 20, worked);
	EXPECT_GT(calls, worked);
	expect_ends_well(_metadata, &child);
	expect_ends_well(_metadata, &shrink);
	EXPECT_GPU_SEES(&ctx, bo.va, bo.size, seed);
	EXPECT_EQ(0, pan_bo_close(&bo));
	EXPECT_EQ(0, pan_ctx_destroy(&ctx));
}

TEST_HARNESS_MAIN
