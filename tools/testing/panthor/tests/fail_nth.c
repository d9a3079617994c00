// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of an operation fails, one after the other, until there is
 * none left that could. The operation works nevertheless, or says -ENOMEM; in
 * both cases nothing is lost, all adds up, and the next try works. Case 12.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "evict.h"
#include "pan_fault.h"

#define SIZE		(5 * PAN_PAGE_SIZE)
#define OTHER_VA	0x40000000ULL
#define READAHEAD	"/proc/sys/vm/page-cluster"
#define MAX_ALLOCATIONS	3000
#define MISSES		4	/* rounds without failure that end a sweep */
#define DESTROYED	(7 * PAN_PAGE_SIZE)
#define SWEEPS		4	/* how often a sweep is repeated, at most */
#define ENOUGH		100	/* failures after which it isn't */
#define SWAP_MS		10000	/* for all to leave memory, which is not always needed */

FIXTURE(fail_nth) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;		/* private to the VM, GPU-mapped */
	struct pan_bo cpu;		/* CPU-mapped; in the VM in some tests */
	__u64 seed;
	int vgem;
	int fail_nth;
	int fail_pages;
	char readahead[16];
	int shrink;
	int mem_reclaim;
	int mem_claim;
	/* what the operation made, or is going to use */
	__u64 stream, *wrong;
	__u64 restores;
	unsigned int refused;
	struct pan_bo made;
	struct pan_vm made_vm;
	struct pan_group made_group;
	int made_file;
	int dmabuf;
	__u32 vgem_handle;
	__u64 va, size;
};

/*
 * prepare() makes all as it was before the operation, run() is the operation,
 * settle() looks what became of it, and tries again if it failed. All return 0
 * or a negative errno.
 */
FIXTURE_VARIANT(fail_nth) {
	int (*prepare)(FIXTURE_DATA(fail_nth) *self);
	int (*run)(FIXTURE_DATA(fail_nth) *self);
	int (*settle)(FIXTURE_DATA(fail_nth) *self, int result);
	bool swaps_in;
	unsigned int pages;	/* that are not found in a row, instead of one allocation */
	int other_error;	/* what this operation says instead of -ENOMEM */
	bool allocates_nothing;
};

/* Few pages, so that there are few allocations: the streams are one page. */
static int create_context(FIXTURE_DATA(fail_nth) *self)
{
	struct pan_ctx *ctx = &self->ctx;
	int ret;

	ret = pan_ctx_create(&self->env.dev, 1, ctx);
	if (!ret)
		ret = pan_vm_unmap(&ctx->vm, ctx->streams.va, ctx->streams.size);
	if (!ret)
		ret = pan_bo_close(&ctx->streams);
	if (!ret)
		ret = pan_bo_create_mapped(&ctx->vm, PAN_PAGE_SIZE, PAN_PAGE_SIZE, true,
					   &ctx->streams);
	return ret ? ret : pan_bo_mmap(&ctx->streams);
}

static int create_buffers(FIXTURE_DATA(fail_nth) *self)
{
	int ret;

	ret = pan_bo_create_mapped(&self->ctx.vm, SIZE, PAN_PAGE_SIZE, true, &self->bo);
	if (!ret)
		ret = pan_gpu_fill(&self->ctx, self->bo.va, SIZE, self->seed);
	if (!ret)
		ret = pan_bo_create(&self->env.dev, SIZE + PAN_PAGE_SIZE, 0, NULL, &self->cpu);
	if (!ret)
		ret = pan_bo_mmap(&self->cpu);
	if (!ret)
		pan_fill(self->cpu.map, self->cpu.size, self->seed);
	return ret;
}

FIXTURE_SETUP(fail_nth)
{
	char path[PATH_MAX + 16];

	self->dmabuf = self->vgem = -1;
	EVICT_SETUP(self);
	pan_ctx_destroy(&self->ctx);
	self->fail_nth = pan_fail_nth_open();
	if (self->fail_nth == -ENOENT)
		PAN_SKIP_IF(!pan_is_debug_kernel(), "no fault injection in this kernel");
	ASSERT_LE(0, self->fail_nth);
	self->fail_pages = pan_fail_pages_open();
	ASSERT_LE(0, self->fail_pages);
	/* Readahead would take the failures: it does without pages. */
	if (variant->pages) {
		ASSERT_LT(0, pan_read_file(READAHEAD, self->readahead, sizeof(self->readahead)));
		ASSERT_EQ(0, pan_write_file(READAHEAD, "0"));
	}
	self->seed = pan_rand(&self->env.rand);
	/* Otherwise most of the time would be spent on booting. */
	ASSERT_EQ(0, pan_keep_awake(&self->env.dev, true));
	ASSERT_EQ(0, create_context(self));
	ASSERT_EQ(0, create_buffers(self));

	/* Opening allocates, too, and is not what is tested here. */
	ASSERT_EQ(0, pan_debugfs_path(&self->env.dev, "shrink", path, sizeof(path)));
	self->shrink = open(path, O_WRONLY);
	ASSERT_LE(0, self->shrink);
	pan_mem_reclaim_path(&self->env.dev, path, sizeof(path));
	self->mem_reclaim = open(path, O_WRONLY);
	ASSERT_LE(0, self->mem_reclaim);
	pan_mem_claim_path(&self->env.dev, path, sizeof(path));
	self->mem_claim = open(path, O_WRONLY);
	ASSERT_LE(0, self->mem_claim);
	if (pan_vgem_open(&self->vgem) && !pan_module_load("vgem"))
		pan_vgem_open(&self->vgem);
}

FIXTURE_TEARDOWN(fail_nth)
{
	EXPECT_GPU_SEES(&self->ctx, self->bo.va, SIZE, self->seed);
	EXPECT_CPU_SEES(&self->cpu, self->seed);
	EXPECT_EQ(0, pan_keep_awake(&self->env.dev, false));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_bo_close(&self->cpu));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	if (self->dmabuf >= 0)
		close(self->dmabuf);
	if (self->vgem >= 0)
		close(self->vgem);
	close(self->shrink);
	close(self->mem_reclaim);
	close(self->mem_claim);
	close(self->fail_nth);
	close(self->fail_pages);
	if (self->readahead[0])
		EXPECT_EQ(0, pan_write_file(READAHEAD, self->readahead));
	PAN_ENV_TEARDOWN(&self->env);
}

/*
 * What all operations share
 */

static int verify(FIXTURE_DATA(fail_nth) *self)
{
	__u64 wrong = 0;
	int ret;

	ret = pan_gpu_verify(&self->ctx, self->bo.va, SIZE, self->seed, &wrong);
	if (ret)
		return ret;
	wrong += pan_verify(self->cpu.map, self->cpu.size, self->seed);
	return wrong ? -EILSEQ : 0;
}

static int evict_all(FIXTURE_DATA(fail_nth) *self)
{
	int ret;

	ret = evict_bo(&self->bo, NULL);
	return ret ? ret : evict_bo(&self->cpu, NULL);
}

static int swap_out_all(FIXTURE_DATA(fail_nth) *self)
{
	int ret = evict_all(self);

	return ret ? ret : push_to_swap(self->bo.size + self->cpu.size, SWAP_MS);
}

/*
 * Operations
 */

static int evict_run(FIXTURE_DATA(fail_nth) *self)
{
	return write(self->shrink, "1048576", 7) < 0 ? -errno : 0;
}

static int evict_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = evict_all(self);

	return ret ? ret : verify(self);
}

/* Only writing to swap needs memory, and is not what eviction depends on. */
FIXTURE_VARIANT_ADD(fail_nth, evict) {
	.prepare = verify,
	.run = evict_run,
	.settle = evict_settle,
};

static int write_own_pid(int fd)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", getpid());

	return pwrite(fd, text, len, 0) < 0 ? -errno : 0;
}

static int mem_reclaim_run(FIXTURE_DATA(fail_nth) *self)
{
	return write_own_pid(self->mem_reclaim);
}

static int mem_reclaim_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = mem_reclaim_run(self);

	return ret ? ret : verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, mem_reclaim) {
	.prepare = verify,
	.run = mem_reclaim_run,
	.settle = mem_reclaim_settle,
};

static int mem_claim_run(FIXTURE_DATA(fail_nth) *self)
{
	return write_own_pid(self->mem_claim);
}

static int mem_claim_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = mem_claim_run(self);

	return ret ? ret : verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, mem_claim) {
	.prepare = evict_all,
	.run = mem_claim_run,
	.settle = mem_claim_settle,
};

/* The job is in memory, which is evicted with the rest. */
static int submit_prepare(FIXTURE_DATA(fail_nth) *self)
{
	__u64 result_va = pan_ctx_slot(&self->ctx, &self->wrong);
	struct pan_cs cs;
	int ret;

	pan_poke(self->wrong, ~0ULL);
	pan_cs_init(&cs);
	pan_cs_verify(&cs, self->bo.va, SIZE, self->seed, result_va);
	self->size = pan_cs_size(&cs);
	ret = pan_ctx_upload(&self->ctx, &cs, &self->stream);
	if (!ret)
		ret = evict_all(self);
	return ret ? ret : pan_reclaim_counter(&self->env.dev, "restores", &self->restores);
}

static int submit_prepare_swap(FIXTURE_DATA(fail_nth) *self)
{
	int ret = submit_prepare(self);

	return ret ? ret : swap_out_all(self);
}

static int submit_run(FIXTURE_DATA(fail_nth) *self)
{
	struct drm_panthor_sync_op done = pan_signal_op(self->ctx.sync);

	return pan_queue_submit(&self->ctx.group, 0, self->stream, self->size, &done, 1);
}

static int restores_since(FIXTURE_DATA(fail_nth) *self, __u64 *count)
{
	__u64 now = 0;
	int ret = pan_reclaim_counter(&self->env.dev, "restores", &now);

	*count = now - self->restores;
	self->restores = now;
	return ret;
}

/*
 * Memory that isn't found is looked for again, once there is room: what is refused
 * for another reason has all of its memory, or hasn't looked for it yet.
 */
static int submit_again(FIXTURE_DATA(fail_nth) *self)
{
	__u64 before = 0, missing = 0;
	int ret;

	ret = restores_since(self, &before);
	/* What was refused was not run. */
	if (!ret && pan_peek(self->wrong) != ~0ULL)
		ret = -EPROTO;
	if (!ret)
		ret = submit_run(self);
	if (!ret)
		ret = restores_since(self, &missing);
	return ret ? ret : before && missing ? -EPROTO : 0;
}

static int submit_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = 0;

	if (result)
		ret = submit_again(self);
	if (!ret)
		ret = pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS);
	if (!ret && pan_peek(self->wrong))
		ret = -EILSEQ;
	return ret ? ret : verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, restore_by_submit) {
	.prepare = submit_prepare,
	.run = submit_run,
	.settle = submit_settle,
};

FIXTURE_VARIANT_ADD(fail_nth, restore_from_swap_by_submit) {
	.prepare = submit_prepare_swap,
	.run = submit_run,
	.settle = submit_settle,
	.swaps_in = true,
};

/* Some of it may stay in memory: that's no news here. */
static int submit_prepare_pages(FIXTURE_DATA(fail_nth) *self)
{
	int ret = submit_prepare_swap(self);

	return ret == -ETIME ? 0 : ret;
}

/* Locking may need a page, too; most of them are those that are to come back. */
static int submit_settle_pages(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = result ? submit_run(self) : 0;

	return ret ? ret : submit_settle(self, 0);
}

/* Pages are not found, and not either when room was made for them, more than once. */
FIXTURE_VARIANT_ADD(fail_nth, restore_without_pages) {
	.prepare = submit_prepare_pages,
	.run = submit_run,
	.settle = submit_settle_pages,
	.swaps_in = true,
	.pages = 8,
};

/* A fault that found no memory is tried again by the kernel. */
static int fault_run(FIXTURE_DATA(fail_nth) *self)
{
	__u64 *word = self->cpu.map;

	return pan_peek(word) == csf_pattern(self->seed, 0) ? 0 : -EILSEQ;
}

static int write_fault_run(FIXTURE_DATA(fail_nth) *self)
{
	__u64 *word = self->cpu.map;

	pan_poke(word, csf_pattern(self->seed, 0));
	return 0;
}

static int fault_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	return result ? result : verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, cpu_fault) {
	.prepare = evict_all,
	.run = fault_run,
	.settle = fault_settle,
};

FIXTURE_VARIANT_ADD(fail_nth, cpu_write_fault) {
	.prepare = evict_all,
	.run = write_fault_run,
	.settle = fault_settle,
};

FIXTURE_VARIANT_ADD(fail_nth, cpu_fault_from_swap) {
	.prepare = swap_out_all,
	.run = fault_run,
	.settle = fault_settle,
	.swaps_in = true,
};

/* Map an evicted buffer: all of it, for its content is checked there. */
static int map_run(FIXTURE_DATA(fail_nth) *self)
{
	return pan_vm_map(&self->ctx.vm, &self->cpu, 0, OTHER_VA, self->cpu.size, 0);
}

static int map_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	__u64 wrong = 0;
	int ret = 0;

	if (result)
		ret = map_run(self);
	if (!ret)
		ret = pan_gpu_verify(&self->ctx, OTHER_VA, self->cpu.size, self->seed, &wrong);
	if (!ret)
		ret = pan_vm_unmap(&self->ctx.vm, OTHER_VA, self->cpu.size);
	return ret ? ret : wrong ? -EILSEQ : verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, bind_map) {
	.prepare = evict_all,
	.run = map_run,
	.settle = map_settle,
};

/* Without what it takes to get the memory, which is never the same. */
static int map_prepare_resident(FIXTURE_DATA(fail_nth) *self)
{
	int ret = evict_all(self);

	return ret ? ret : verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, bind_map_resident) {
	.prepare = map_prepare_resident,
	.run = map_run,
	.settle = map_settle,
};

static int map_async_run(FIXTURE_DATA(fail_nth) *self)
{
	struct drm_panthor_sync_op done = pan_signal_op(self->ctx.sync);
	struct drm_panthor_vm_bind_op op =
		pan_op_map(&self->cpu, 0, OTHER_VA, self->cpu.size, 0);

	op.syncs = (struct drm_panthor_obj_array)DRM_PANTHOR_OBJ_ARRAY(1, &done);
	return pan_vm_bind_async(&self->ctx.vm, &op, 1);
}

static int map_async_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = 0;

	if (result)
		ret = map_async_run(self);
	if (!ret)
		ret = pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS);
	return ret ? ret : map_settle(self, 0);
}

FIXTURE_VARIANT_ADD(fail_nth, bind_map_async) {
	.prepare = evict_all,
	.run = map_async_run,
	.settle = map_async_settle,
};

/* Punch a hole into an evicted mapping, then put back what was there. */
static int unmap_run(FIXTURE_DATA(fail_nth) *self)
{
	return pan_vm_unmap(&self->ctx.vm, self->bo.va + PAN_PAGE_SIZE, PAN_PAGE_SIZE);
}

static int unmap_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = 0;

	/* What could not be unmapped is still there, all of it. */
	if (result)
		ret = verify(self);
	if (result && !ret)
		ret = evict_bo(&self->bo, NULL);
	if (result && !ret)
		ret = unmap_run(self);
	if (!ret)
		ret = pan_vm_map(&self->ctx.vm, &self->bo, PAN_PAGE_SIZE,
				 self->bo.va + PAN_PAGE_SIZE, PAN_PAGE_SIZE, 0);
	if (!ret)
		ret = verify(self);
	/* One mapping again, for the next round. */
	if (!ret)
		ret = pan_vm_map(&self->ctx.vm, &self->bo, 0, self->bo.va, SIZE, 0);
	return ret ? ret : verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, bind_unmap_the_middle) {
	.prepare = evict_all,
	.run = unmap_run,
	.settle = unmap_settle,
};

static int remap_run(FIXTURE_DATA(fail_nth) *self)
{
	return pan_vm_map(&self->ctx.vm, &self->cpu, PAN_PAGE_SIZE,
			  self->bo.va + PAN_PAGE_SIZE, PAN_PAGE_SIZE, 0);
}

/* Both buffers have the same content: what is mapped there can be told by... */
static int remap_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	__u64 *word = (__u64 *)((char *)self->cpu.map + PAN_PAGE_SIZE), old = pan_peek(word);
	__u64 seen = 0;
	int ret = 0;

	if (result)
		ret = verify(self);
	if (result && !ret)
		ret = evict_bo(&self->bo, NULL);
	if (result && !ret)
		ret = remap_run(self);
	/* ... a word that is changed in one of them. */
	pan_poke(word, ~old);
	if (!ret)
		ret = pan_gpu_load64(&self->ctx, self->bo.va + PAN_PAGE_SIZE, &seen);
	pan_poke(word, old);
	if (!ret && seen != ~old)
		ret = -EILSEQ;
	if (!ret)
		ret = pan_vm_map(&self->ctx.vm, &self->bo, 0, self->bo.va, SIZE, 0);
	return ret ? ret : verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, bind_map_over_the_middle) {
	.prepare = evict_all,
	.run = remap_run,
	.settle = remap_settle,
};

static int export_run(FIXTURE_DATA(fail_nth) *self)
{
	return pan_bo_export(&self->cpu, &self->dmabuf);
}

static int export_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = result ? export_run(self) : 0;

	if (ret)
		return ret;
	close(self->dmabuf);
	self->dmabuf = -1;
	return verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, prime_export) {
	.prepare = evict_all,
	.run = export_run,
	.settle = export_settle,
};

static int import_prepare(FIXTURE_DATA(fail_nth) *self)
{
	struct pan_dev vgem = { .fd = self->vgem };
	struct pan_bo theirs = { .dev = &vgem, .size = SIZE };
	int ret;

	if (self->dmabuf >= 0)
		return 0;
	ret = pan_vgem_create(self->vgem, SIZE, &theirs.handle);
	return ret ? ret : pan_bo_export(&theirs, &self->dmabuf);
}

static int import_run(FIXTURE_DATA(fail_nth) *self)
{
	return pan_bo_import(&self->env.dev, self->dmabuf, SIZE, &self->made);
}

static int import_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = result ? import_run(self) : 0;

	if (!ret)
		ret = pan_vm_map(&self->ctx.vm, &self->made, 0, OTHER_VA, SIZE, 0);
	if (!ret)
		ret = pan_gpu_store64(&self->ctx, OTHER_VA, 1);
	if (!ret)
		ret = pan_vm_unmap(&self->ctx.vm, OTHER_VA, SIZE);
	return ret ? ret : pan_bo_close(&self->made);
}

FIXTURE_VARIANT_ADD(fail_nth, prime_import) {
	.prepare = import_prepare,
	.run = import_run,
	.settle = import_settle,
};

/* Another device attaches to an evicted buffer, which pins it. */
static int attach_prepare(FIXTURE_DATA(fail_nth) *self)
{
	int ret = 0;

	if (self->dmabuf < 0)
		ret = pan_bo_export(&self->cpu, &self->dmabuf);
	return ret ? ret : evict_all(self);
}

static int attach_run(FIXTURE_DATA(fail_nth) *self)
{
	struct pan_dev vgem = { .fd = self->vgem };
	struct pan_bo bo = {};
	int ret = pan_bo_import(&vgem, self->dmabuf, self->cpu.size, &bo);

	self->vgem_handle = bo.handle;
	return ret;
}

static int attach_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	struct pan_gem gem;
	int ret = result ? attach_run(self) : 0;

	if (!ret)
		ret = evict_gem(&self->cpu, &gem);
	if (!ret && gem_is_evicted(&gem))
		ret = -EPROTO;
	if (!ret)
		ret = pan_gem_close(self->vgem, self->vgem_handle);
	return ret ? ret : verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, prime_attach) {
	.prepare = attach_prepare,
	.run = attach_run,
	.settle = attach_settle,
};

static int nothing(FIXTURE_DATA(fail_nth) *self)
{
	return 0;
}

static int create_run(FIXTURE_DATA(fail_nth) *self)
{
	return pan_bo_create(&self->env.dev, 3 * PAN_PAGE_SIZE, 0, NULL, &self->made);
}

static int create_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = result ? create_run(self) : 0;

	return ret ? ret : pan_bo_close(&self->made);
}

/* shmem takes an inode it can't get for the file system being full. */
FIXTURE_VARIANT_ADD(fail_nth, bo_create) {
	.other_error = -ENOSPC,
	.prepare = nothing,
	.run = create_run,
	.settle = create_settle,
};

/* The device once more, by the file descriptor that there is. */
static int open_run(FIXTURE_DATA(fail_nth) *self)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->env.dev.fd);
	self->made_file = open(path, O_RDWR | O_CLOEXEC);
	return self->made_file < 0 ? -errno : 0;
}

static int open_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = result ? open_run(self) : 0;

	if (!ret)
		close(self->made_file);
	return ret;
}

FIXTURE_VARIANT_ADD(fail_nth, open) {
	.prepare = nothing,
	.run = open_run,
	.settle = open_settle,
};

static int vm_create_run(FIXTURE_DATA(fail_nth) *self)
{
	return pan_vm_create(&self->env.dev, 0, &self->made_vm);
}

static int vm_create_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = result ? vm_create_run(self) : 0;

	return ret ? ret : pan_vm_destroy(&self->made_vm);
}

/* alloc_io_pgtable_ops() doesn't tell why it failed. */
FIXTURE_VARIANT_ADD(fail_nth, vm_create) {
	.other_error = -EINVAL,
	.prepare = nothing,
	.run = vm_create_run,
	.settle = vm_create_settle,
};

/* Without a handle, it's the mapping that keeps the buffer. No other one has that size. */
static int vm_destroy_prepare(FIXTURE_DATA(fail_nth) *self)
{
	int ret = pan_vm_create(&self->env.dev, 0, &self->made_vm);

	if (!ret)
		ret = pan_bo_create_mapped(&self->made_vm, DESTROYED, PAN_PAGE_SIZE, true,
					   &self->made);
	return ret ? ret : pan_bo_close(&self->made);
}

static int vm_destroy_run(FIXTURE_DATA(fail_nth) *self)
{
	return pan_vm_destroy(&self->made_vm);
}

/* There is nothing left that could be destroyed once more. */
static int vm_destroy_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	struct pan_gem gem;
	int ret = pan_gems_find(&self->env.dev, getpid(), DESTROYED, &gem);

	return result ? result : ret == -ENOENT ? 0 : -EBUSY;
}

FIXTURE_VARIANT_ADD(fail_nth, vm_destroy) {
	.prepare = vm_destroy_prepare,
	.run = vm_destroy_run,
	.settle = vm_destroy_settle,
	.allocates_nothing = true,
};

/* A group comes with buffers of the driver's own. */
static int group_create_run(FIXTURE_DATA(fail_nth) *self)
{
	return pan_group_create(&self->ctx.vm, 1, PAN_SZ_64K, 0, &self->made_group);
}

static int group_create_settle(FIXTURE_DATA(fail_nth) *self, int result)
{
	int ret = result ? group_create_run(self) : 0;

	if (!ret)
		ret = pan_group_destroy(&self->made_group);
	return ret ? ret : verify(self);
}

FIXTURE_VARIANT_ADD(fail_nth, group_create) {
	.other_error = -ENOSPC,
	.prepare = evict_all,
	.run = group_create_run,
	.settle = group_create_settle,
};

static int arm(FIXTURE_DATA(fail_nth) *self, const FIXTURE_VARIANT(fail_nth) *variant,
	       unsigned int nth)
{
	return variant->pages ? pan_fail_pages_arm(self->fail_pages, nth, variant->pages) :
				pan_fail_nth_arm(self->fail_nth, nth);
}

static int disarm(FIXTURE_DATA(fail_nth) *self, const FIXTURE_VARIANT(fail_nth) *variant,
		  bool *hit)
{
	return variant->pages ? pan_fail_pages_disarm(self->fail_pages, variant->pages, hit) :
				pan_fail_nth_disarm(self->fail_nth, hit);
}

/*
 * Returns how often an allocation failed. How many there are depends on what is
 * in caches, so that one round without failure doesn't mean much.
 */
static unsigned int sweep_once(struct __test_metadata *_metadata, FIXTURE_DATA(fail_nth) *self,
			       const FIXTURE_VARIANT(fail_nth) *variant)
{
	unsigned int nth, misses = 0;
	bool hit;
	int ret;

	for (nth = 1; misses < MISSES; nth++) {
		ASSERT_GT(MAX_ALLOCATIONS, nth);
		ASSERT_EQ(0, variant->prepare(self))
			TH_LOG("before allocation %u fails", nth);
		ASSERT_EQ(0, arm(self, variant, nth));
		ret = variant->run(self);
		ASSERT_EQ(0, disarm(self, variant, &hit));
		misses += !hit;
		self->refused += ret != 0;
		EXPECT_TRUE(ret == 0 || (hit && (ret == -ENOMEM || ret == variant->other_error)))
			TH_LOG("allocation %u failed: the operation says %d", nth, ret);
		EXPECT_SOUND_EXACTLY(&self->env.dev);
		ASSERT_EQ(0, variant->settle(self, ret))
			TH_LOG("after allocation %u had failed with %d", nth, ret);
	}
	return nth - 1 - misses;
}

/*
 * An allocation that's the fourth in the third round and the third in the fourth
 * one fails in neither: caches that run empty shift it. Short sweeps are repeated.
 */
static unsigned int sweep(struct __test_metadata *_metadata, FIXTURE_DATA(fail_nth) *self,
			  const FIXTURE_VARIANT(fail_nth) *variant)
{
	unsigned int i, failures = 0;

	for (i = 0; i < SWEEPS && failures < ENOUGH; i++)
		failures += sweep_once(_metadata, self, variant);
	return failures;
}

TEST_F_TIMEOUT(fail_nth, sweep, 1200)
{
	__u64 before = 0, after = 0, start = pan_now_ms();
	unsigned int failures;

	if (self->vgem < 0)
		PAN_SKIP_IF(!pan_is_debug_kernel(), "no vgem");
	if (variant->swaps_in)
		ASSERT_EQ(0, pan_vmstat("pswpin", &before));
	failures = sweep(_metadata, self, variant);
	TH_LOG("%u allocations failed, %u calls refused, %llu ms", failures, self->refused,
	       pan_now_ms() - start);
	EXPECT_EQ(!variant->allocates_nothing, failures > 0);
	/* Room is made until it's enough, unless it's something else that misses a page. */
	if (variant->pages)
		EXPECT_GE(failures / 2, self->refused);
	if (variant->swaps_in) {
		ASSERT_EQ(0, pan_vmstat("pswpin", &after));
		EXPECT_LT(before + failures, after);
	}
}

TEST_HARNESS_MAIN
