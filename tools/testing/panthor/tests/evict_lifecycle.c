// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that ends a buffer, a VM, a group, a client, or the driver, while
 * buffers are evicted. Case 10.
 */
#include <signal.h>

#include "evict.h"
#include "pan_child.h"

#define KILLS	10

/* A client with evicted buffers of each kind. */
struct client {
	struct pan_dev dev;
	struct pan_ctx ctx;
	struct pan_bo private;		/* GPU-mapped, belongs to the VM */
	struct pan_bo mapped;		/* GPU-mapped and CPU-mapped */
	struct pan_bo unused;
	__u64 seed;
};

FIXTURE(evict_lifecycle) {
	struct pan_env env;
	struct client client;
	char device[256];
	__u64 shmem;
};

FIXTURE_SETUP(evict_lifecycle)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	snprintf(self->device, sizeof(self->device), "%s", pan_device_name(&self->env.dev));
	self->client.seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_meminfo("Shmem", &self->shmem));
}

struct shmem_goal {
	__u64 at_most;
};

static int shmem_is_free(void *arg)
{
	struct shmem_goal *goal = arg;
	__u64 shmem;
	int ret = pan_meminfo("Shmem", &shmem);

	return ret ? ret : shmem <= goal->at_most;
}

FIXTURE_TEARDOWN(evict_lifecycle)
{
	/* The kernel counts by batches of pages for each CPU. */
	struct shmem_goal goal = { .at_most = self->shmem + 64 * PAN_PAGE_SIZE };

	PAN_ENV_TEARDOWN(&self->env);
	EXPECT_EQ(0, pan_poll(shmem_is_free, &goal, PAN_DEADLINE_MS));
}

static int create_buffers(struct client *c)
{
	int ret;

	ret = pan_ctx_create(&c->dev, 1, &c->ctx);
	if (!ret)
		ret = pan_bo_create_mapped(&c->ctx.vm, 201 * PAN_PAGE_SIZE, PAN_PAGE_SIZE, true,
					   &c->private);
	if (!ret)
		ret = pan_bo_create_mapped(&c->ctx.vm, 202 * PAN_PAGE_SIZE, PAN_PAGE_SIZE, false,
					   &c->mapped);
	if (!ret)
		ret = pan_bo_create(&c->dev, 203 * PAN_PAGE_SIZE, 0, NULL, &c->unused);
	return ret;
}

static int fill_buffers(struct client *c)
{
	int ret;

	ret = pan_gpu_fill(&c->ctx, c->private.va, c->private.size, c->seed);
	if (!ret)
		ret = pan_bo_mmap(&c->mapped);
	if (!ret)
		ret = pan_bo_mmap(&c->unused);
	if (ret)
		return ret;
	pan_fill(c->mapped.map, c->mapped.size, c->seed);
	pan_fill(c->unused.map, c->unused.size, c->seed);
	return pan_bo_munmap(&c->unused);
}

static int evict_buffers(struct client *c)
{
	int ret;

	ret = evict_bo(&c->private, NULL);
	if (!ret)
		ret = evict_bo(&c->mapped, NULL);
	return ret ? ret : evict_bo(&c->unused, NULL);
}

static int client_start(struct client *c)
{
	int ret;

	ret = pan_open(&c->dev);
	if (!ret)
		ret = create_buffers(c);
	if (!ret)
		ret = fill_buffers(c);
	return ret ? ret : evict_buffers(c);
}

/* CPU mappings keep the file open. */
static void client_stop(struct client *c)
{
	pan_bo_munmap(&c->mapped);
	pan_bo_munmap(&c->unused);
	pan_bo_munmap(&c->private);
	pan_bo_munmap(&c->ctx.streams);
	pan_bo_munmap(&c->ctx.result);
	pan_close(&c->dev);
}

/* Whether all of a client's buffers are evicted, as others see it. */
static void expect_evicted(struct __test_metadata *_metadata, struct pan_dev *dev, pid_t pid)
{
	struct pan_gem gem;
	int i;

	for (i = 201; i <= 203; i++) {
		ASSERT_EQ(0, pan_gems_find(dev, pid, i * PAN_PAGE_SIZE, &gem));
		EXPECT_TRUE(gem_is_evicted(&gem))
			TH_LOG("the buffer of %d pages", i);
		EXPECT_EQ(1, gem.evictions);
	}
}

#define CLIENT_START(c) do {							\
	ASSERT_EQ(0, client_start(c));						\
	expect_evicted(_metadata, &(c)->dev, getpid());				\
} while (0)

static void expect_gone(struct __test_metadata *_metadata, struct pan_dev *dev, __u64 size)
{
	struct pan_gem gem;

	EXPECT_EQ(-ENOENT, pan_gems_find(dev, getpid(), size, &gem));
}

/* A VM keeps what it maps, the handle is not needed. */
TEST_F(evict_lifecycle, close_handle)
{
	struct client *c = &self->client;
	__u64 va, size;

	CLIENT_START(c);
	size = c->unused.size;
	ASSERT_EQ(0, pan_bo_close(&c->unused));
	expect_gone(_metadata, &c->dev, size);

	va = c->private.va;
	size = c->private.size;
	ASSERT_EQ(0, pan_bo_close(&c->private));
	EXPECT_GPU_SEES(&c->ctx, va, size, c->seed);
	EVICT(&c->mapped);
	ASSERT_EQ(0, pan_vm_unmap(&c->ctx.vm, va, size));
	expect_gone(_metadata, &c->dev, size);

	/* A CPU mapping does so, too: the handle goes, the content stays. */
	size = c->mapped.size;
	ASSERT_EQ(0, pan_vm_unmap(&c->ctx.vm, c->mapped.va, size));
	ASSERT_EQ(0, pan_gem_close(c->dev.fd, c->mapped.handle));
	EXPECT_EQ(0, pan_verify(c->mapped.map, size, c->seed));
	pan_bo_munmap(&c->mapped);
	expect_gone(_metadata, &c->dev, size);
	EXPECT_EQ(0, pan_ctx_destroy(&c->ctx));
	client_stop(c);
}

/* What doesn't belong to the VM survives it. */
TEST_F(evict_lifecycle, destroy_vm)
{
	struct client *c = &self->client;

	CLIENT_START(c);
	ASSERT_EQ(0, pan_ctx_destroy(&c->ctx));
	expect_evicted(_metadata, &c->dev, getpid());
	EXPECT_CPU_SEES(&c->mapped, c->seed);
	EXPECT_CPU_SEES(&c->private, c->seed);
	EXPECT_EQ(0, pan_bo_close(&c->private));
	EXPECT_EQ(0, pan_bo_close(&c->mapped));
	EXPECT_EQ(0, pan_bo_close(&c->unused));
	EXPECT_NOTHING_LEFT(&c->dev);
	client_stop(c);
}

/* The VM goes before the group that runs in it. */
TEST_F(evict_lifecycle, destroy_vm_of_group)
{
	struct client *c = &self->client;

	CLIENT_START(c);
	ASSERT_EQ(0, pan_vm_destroy(&c->ctx.vm));
	EXPECT_CPU_SEES(&c->mapped, c->seed);
	EXPECT_CPU_SEES(&c->private, c->seed);
	ASSERT_EQ(0, pan_group_destroy(&c->ctx.group));
	client_stop(c);
}

/* The group's own buffers are vmapped by the driver, the VM's can all be out. */
TEST_F(evict_lifecycle, destroy_group)
{
	struct client *c = &self->client;

	CLIENT_START(c);
	ASSERT_EQ(0, pan_group_destroy(&c->ctx.group));
	expect_evicted(_metadata, &c->dev, getpid());
	ASSERT_EQ(0, pan_group_create(&c->ctx.vm, 1, 4096, PANTHOR_GROUP_PRIORITY_MEDIUM,
				      &c->ctx.group));
	EXPECT_GPU_SEES(&c->ctx, c->private.va, c->private.size, c->seed);
	EXPECT_CPU_SEES(&c->unused, c->seed);
	client_stop(c);
}

static int count_evicted_of_kernel(struct pan_dev *dev)
{
	struct pan_gems gems;
	int ret, count = 0;
	size_t i;

	ret = pan_gems_read(dev, &gems);
	for (i = 0; !ret && i < gems.count; i++)
		count += gems.gems[i].usage == PAN_GEM_KERNEL && gem_is_evicted(&gems.gems[i]);
	pan_gems_free(&gems);
	return ret ? ret : count;
}

static int kernel_has_none_evicted(void *arg)
{
	int ret = count_evicted_of_kernel(arg);

	return ret < 0 ? ret : !ret;
}

static int kernel_has_evicted(void *arg)
{
	int ret = pan_shrink(arg, EVERYTHING, NULL);

	return ret ? ret : count_evicted_of_kernel(arg);
}

/* The driver's own buffers that are evicted: chunks of a heap. */
TEST_F(evict_lifecycle, destroy_heap)
{
	struct drm_panthor_tiler_heap_create heap;
	struct client *c = &self->client;

	CLIENT_START(c);
	ASSERT_EQ(0, pan_heap_create(&c->ctx.vm, 3, PAN_SZ_64K * 4, 5, 1, &heap));
	ASSERT_EQ(0, pan_poll(kernel_has_evicted, &c->dev, PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_heap_destroy(&c->dev, heap.handle));
	EXPECT_EQ(0, pan_poll(kernel_has_none_evicted, &c->dev, PAN_DEADLINE_MS));
	client_stop(c);
}

TEST_F(evict_lifecycle, close_fd)
{
	struct client *c = &self->client;

	CLIENT_START(c);
	client_stop(c);
	EXPECT_NOTHING_LEFT(&self->env.dev);
}

static int victim(struct pan_child *self)
{
	struct client *c = self->arg;
	int ret = client_start(c);

	if (!ret)
		ret = pan_child_meet(self);
	return ret ? ret : pan_child_meet(self);	/* never */
}

TEST_F(evict_lifecycle, sigkill)
{
	struct pan_child child;

	ASSERT_EQ(0, pan_child_start(&child, victim, &self->client));
	ASSERT_EQ(0, pan_child_meet(&child));
	expect_evicted(_metadata, &self->env.dev, child.pid);
	ASSERT_EQ(0, pan_child_kill(&child, SIGKILL));
	EXPECT_NOTHING_LEFT(&self->env.dev);
}

/* Says how often it went round, and never ends. */
static int busy_victim(struct pan_child *self)
{
	struct client *c = self->arg;
	__s64 rounds = 0;
	int ret = client_start(c);

	while (!ret) {
		__u64 wrong = 0;

		ret = pan_child_tell(self, ++rounds);
		if (!ret)
			ret = pan_gpu_verify(&c->ctx, c->private.va, c->private.size, c->seed,
					     &wrong);
		if (!ret)
			ret = wrong ? -EILSEQ : evict_buffers(c);
	}
	return ret;
}

/* Killed at any point: while it evicts, while it restores, while a job runs. */
TEST_F(evict_lifecycle, sigkill_at_any_time)
{
	struct pan_child child;
	struct pan_reclaim r;
	__s64 rounds = 0;
	int i, j;

	for (i = 0; i < KILLS; i++) {
		ASSERT_EQ(0, pan_child_start(&child, busy_victim, &self->client));
		for (j = 0; j < 2; j++)
			ASSERT_EQ(0, pan_child_hear(&child, &rounds));
		usleep(pan_rand(&self->env.rand) % 10000);
		ASSERT_EQ(0, pan_child_kill(&child, SIGKILL));
		EXPECT_NOTHING_LEFT(&self->env.dev);
	}
	if (!pan_has_reclaim(&self->env.dev))
		return;
	ASSERT_EQ(0, pan_reclaim_read(&self->env.dev, &r));
	EXPECT_LE(KILLS * 3, r.evictions);
	EXPECT_LE(KILLS, r.restores);
}

/* Without the device, what is CPU-mapped still has its content. */
TEST_F(evict_lifecycle, unbind_and_bind)
{
	struct client *c = &self->client;

	CLIENT_START(c);
	PUSH_TO_SWAP(c->mapped.size);
	ASSERT_EQ(0, pan_driver_unbind(self->device));
	EXPECT_EQ(-ENODEV, pan_gpu_store64(&c->ctx, c->private.va, 1));
	EXPECT_EQ(0, pan_verify(c->mapped.map, c->mapped.size, c->seed));
	ASSERT_EQ(0, pan_driver_bind(self->device));
	/* The old device's buffers, evicted or not, are not the new one's. */
	pan_close(&self->env.dev);
	ASSERT_EQ(0, pan_open(&self->env.dev));
	EXPECT_NOTHING_LEFT(&self->env.dev);
	EXPECT_EQ(0, pan_verify(c->mapped.map, c->mapped.size, c->seed));
	client_stop(c);

	memset(c, 0, sizeof(*c));
	CLIENT_START(c);
	EXPECT_GPU_SEES(&c->ctx, c->private.va, c->private.size, c->seed);
	client_stop(c);
}

/* Evicted buffers keep the module like any; with the last of them it can go. */
TEST_F(evict_lifecycle, unload_module)
{
	struct client *c = &self->client;

	CLIENT_START(c);
	pan_close(&self->env.dev);
	EXPECT_EQ(-EAGAIN, pan_module_unload("panthor"));
	client_stop(c);
	ASSERT_EQ(0, pan_module_unload_wait("panthor", PAN_DEADLINE_MS));
	ASSERT_EQ(0, pan_module_load("panthor"));
	ASSERT_EQ(0, pan_open(&self->env.dev));
	EXPECT_NOTHING_LEFT(&self->env.dev);
}

TEST_HARNESS_MAIN
