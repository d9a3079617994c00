// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs mem_claim: what mem_reclaim took comes back, pages and GPU mappings, before a
 * job needs it. Who may ask for it. Bad input, and exit and unbind meanwhile, are in
 * mem_request, what doesn't fit in mem_claim_overcommit.
 */
#include <signal.h>
#include <sys/swap.h>
#include <sys/time.h>

#include "mem_request.h"

#define LARGE_BUFFERS	24
#define LARGE		(PAN_SZ_2M)

FIXTURE(mem_claim) {
	struct pan_env env;
	struct client client;
	char swap[256];
	bool swap_is_off;
};

FIXTURE_SETUP(mem_claim)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	ASSERT_EQ(0, pan_swap_device(self->swap, sizeof(self->swap)));
	self->client.seed = pan_rand(&self->env.rand);
}

FIXTURE_TEARDOWN(mem_claim)
{
	if (self->swap_is_off)
		EXPECT_EQ(0, swapon(self->swap, 0));
	EXPECT_EQ(0, pan_model_knob_set("pause", "0"));
	client_stop(&self->client);
	PAN_ENV_TEARDOWN(&self->env);
}

static struct pan_reclaim look(struct __test_metadata *_metadata, FIXTURE_DATA(mem_claim) *self)
{
	struct pan_reclaim r = {};

	EXPECT_EQ(0, pan_reclaim_read(&self->env.dev, &r));
	return r;
}

/* The three buffers of a process have their pages, or have been evicted. */
static void expect_resident(struct __test_metadata *_metadata, struct pan_dev *dev, pid_t pid,
			    bool resident)
{
	const __u64 pages[] = { GPU_PAGES, CPU_PAGES, IDLE_PAGES };
	struct pan_gem gem;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		ASSERT_EQ(0, pan_gems_find(dev, pid, pages[i] * PAN_PAGE_SIZE, &gem));
		EXPECT_EQ(resident ? gem.size : 0, gem.resident)
			TH_LOG("buffer of %llu pages", pages[i]);
	}
}

/*
 * All of it is back: each buffer has its pages, those of the VM are mapped by the GPU
 * again, and neither a job nor a CPU brings anything else back.
 */
TEST_F(mem_claim, self)
{
	struct client *c = &self->client;
	struct pan_reclaim before, evicted, claimed, used;
	struct pan_fdinfo info;

	ASSERT_EQ(0, client_start(c));
	before = look(_metadata, self);
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	evicted = look(_metadata, self);
	ASSERT_EQ(before.evictions + 5, evicted.evictions);
	ASSERT_EQ(0, evicted.reclaimable);

	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, getpid()));
	expect_resident(_metadata, &c->dev, getpid(), true);
	expect_evictions(_metadata, &c->dev, getpid(), 1);
	claimed = look(_metadata, self);
	EXPECT_EQ(evicted.restores + 5, claimed.restores);
	EXPECT_EQ(before.one_vm, claimed.one_vm);
	EXPECT_EQ(before.mmapped, claimed.mmapped);
	EXPECT_EQ(before.unused, claimed.unused);
	ASSERT_EQ(0, pan_fdinfo_read(&c->dev, &info));
	EXPECT_EQ(0, info.evicted);
	EXPECT_EQ(0, info.drv_evicted);

	EXPECT_EQ(0, client_verify(c));
	used = look(_metadata, self);
	EXPECT_EQ(claimed.restores, used.restores);
}

/* There's nothing to bring back, and that's fine. */
TEST_F(mem_claim, nothing)
{
	struct pan_reclaim before;

	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, getpid()));
	ASSERT_EQ(0, client_start(&self->client));
	before = look(_metadata, self);
	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, getpid()));
	EXPECT_EQ(before.restores, look(_metadata, self).restores);
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, getpid()));
	before = look(_metadata, self);
	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, getpid()));
	EXPECT_EQ(before.restores, look(_metadata, self).restores);
	EXPECT_EQ(0, client_verify(&self->client));
}

/* A buffer that never had memory doesn't get any. */
TEST_F(mem_claim, never_backed)
{
	struct pan_bo bo;
	struct pan_gem gem;

	ASSERT_EQ(0, pan_bo_create(&self->env.dev, 93 * PAN_PAGE_SIZE, 0, NULL, &bo));
	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, getpid()));
	ASSERT_EQ(0, evict_gem(&bo, &gem));
	EXPECT_EQ(0, gem.resident);
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* What the CPU brought back has its pages, so it's the mappings that are missing. */
TEST_F(mem_claim, mappings_only)
{
	struct client *c = &self->client;
	struct pan_reclaim r;

	ASSERT_EQ(0, client_start(c));
	ASSERT_EQ(0, pan_bo_mmap(&c->gpu));
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	EXPECT_EQ(0, pan_verify(c->gpu.map, c->gpu.size, c->seed));
	r = look(_metadata, self);
	EXPECT_EQ(GPU_PAGES, r.mmapped);
	EXPECT_EQ(0, r.one_vm);
	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, getpid()));
	r = look(_metadata, self);
	EXPECT_EQ(GPU_PAGES + PAN_CTX_PAGES, r.one_vm);
	EXPECT_EQ(0, client_verify(c));
	EXPECT_EQ(0, pan_bo_munmap(&c->gpu));
}

/* What's shared by VMs comes back in those of the process. */
TEST_F(mem_claim, shared_by_vms)
{
	struct client *c = &self->client;
	struct pan_reclaim before, r;
	struct pan_ctx other;
	struct pan_bo bo;
	__u64 va, pages;

	ASSERT_EQ(0, client_start(c));
	ASSERT_EQ(0, pan_bo_create_mapped(&c->ctx.vm, 97 * PAN_PAGE_SIZE, PAN_PAGE_SIZE, false,
					  &bo));
	ASSERT_EQ(0, pan_gpu_fill(&c->ctx, bo.va, bo.size, c->seed));
	ASSERT_EQ(0, pan_ctx_create(&c->dev, 1, &other));
	va = pan_vm_alloc_va(&other.vm, bo.size, PAN_PAGE_SIZE);
	ASSERT_EQ(0, pan_vm_map(&other.vm, &bo, 0, va, bo.size, 0));
	before = look(_metadata, self);
	EXPECT_EQ(97, before.shared);
	ASSERT_EQ(0, pan_shrink(&c->dev, EVERYTHING, &pages));
	r = look(_metadata, self);
	ASSERT_EQ(0, r.reclaimable);
	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, getpid()));
	r = look(_metadata, self);
	EXPECT_EQ(97, r.shared);
	EXPECT_EQ(before.one_vm, r.one_vm);
	EXPECT_GPU_SEES(&other, va, bo.size, c->seed);
	EXPECT_EQ(0, client_verify(c));
	EXPECT_EQ(r.restores, look(_metadata, self).restores);
	EXPECT_EQ(0, pan_ctx_destroy(&other));
	EXPECT_EQ(0, pan_bo_close(&bo));
}

/* The memory of that process, and nobody else's. */
TEST_F(mem_claim, other)
{
	struct client mine = { .seed = self->client.seed + 1 };
	struct pan_reclaim before, after;
	struct pan_child child;

	start_client(_metadata, &self->client, &child);
	ASSERT_EQ(0, client_start(&mine));
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, child.pid));
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	before = look(_metadata, self);
	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, child.pid));
	after = look(_metadata, self);
	expect_resident(_metadata, &self->env.dev, child.pid, true);
	expect_resident(_metadata, &self->env.dev, getpid(), false);
	EXPECT_EQ(GPU_PAGES + CPU_PAGES + IDLE_PAGES + PAN_CTX_PAGES,
		  after.restored_pages - before.restored_pages);
	verify_client(_metadata, &child);
	EXPECT_EQ(after.restores, look(_metadata, self).restores);
	EXPECT_EQ(0, client_verify(&mine));
	stop_client(_metadata, &child);
	client_stop(&mine);
}

/* What came back is recent: the next one who needs memory gets it from others. */
TEST_F(mem_claim, is_recent)
{
	struct client mine = { .seed = self->client.seed + 1 };
	struct pan_child child;
	struct pan_gem gem;
	__u64 pages = 0;

	start_client(_metadata, &self->client, &child);
	ASSERT_EQ(0, client_start(&mine));
	/* Nothing is missing, and that makes no difference. */
	ASSERT_EQ(0, pan_mem_claim_write(&self->env.dev, child.pid));
	/* What's not in a VM goes first, and then all of a VM. */
	ASSERT_EQ(0, pan_shrink(&self->env.dev, 2 * (CPU_PAGES + IDLE_PAGES) + GPU_PAGES +
				PAN_CTX_PAGES, &pages));
	EXPECT_EQ(2 * (CPU_PAGES + IDLE_PAGES) + GPU_PAGES + PAN_CTX_PAGES, pages);
	ASSERT_EQ(0, pan_gems_find(&self->env.dev, child.pid, GPU_PAGES * PAN_PAGE_SIZE, &gem));
	EXPECT_EQ(0, gem.evictions);
	ASSERT_EQ(0, pan_gems_find(&self->env.dev, getpid(), GPU_PAGES * PAN_PAGE_SIZE, &gem));
	EXPECT_EQ(1, gem.evictions);
	verify_client(_metadata, &child);
	stop_client(_metadata, &child);
	client_stop(&mine);
}

/* Even for oneself. Existence isn't revealed. */
static int powerless(struct pan_child *self)
{
	FIXTURE_DATA(mem_claim) *test = self->arg;
	struct pan_dev dev;
	struct pan_bo bo;
	__s64 pid = 1;
	int ret;

	ret = pan_open(&dev);
	if (!ret)
		ret = fill_by_cpu(&dev, 95, 1, &bo);
	if (!ret)
		ret = pan_mem_reclaim_write(&test->env.dev, getpid());
	if (!ret)
		ret = drop_capability(CAP_SYS_RESOURCE);
	while (!ret && pid) {
		ret = pan_child_hear(self, &pid);
		if (!ret && pid)
			ret = pan_child_tell(self, pan_mem_claim_write(&test->env.dev,
								       pid < 0 ? getpid() : pid));
	}
	return ret;
}

TEST_F(mem_claim, without_capability)
{
	__s64 asked[] = { -1, getpid(), nobody(_metadata), 1 };
	struct pan_child child;
	struct pan_gem gem;
	__s64 answer;
	size_t i;
	int result;

	ASSERT_EQ(0, client_start(&self->client));
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	ASSERT_EQ(0, pan_child_start(&child, powerless, self));
	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		ASSERT_EQ(0, pan_child_tell(&child, asked[i]));
		ASSERT_EQ(0, pan_child_hear(&child, &answer));
		EXPECT_EQ(-EPERM, answer)
			TH_LOG("for %lld", asked[i]);
	}
	ASSERT_EQ(0, pan_gems_find(&self->env.dev, child.pid, 95 * PAN_PAGE_SIZE, &gem));
	EXPECT_EQ(0, gem.resident);
	expect_resident(_metadata, &self->env.dev, getpid(), false);
	ASSERT_EQ(0, pan_child_tell(&child, 0));
	ASSERT_EQ(0, pan_child_wait(&child, &result));
	EXPECT_EQ(0, result);
}

/* Process 1 of a namespace. What it's called outside isn't anything in there. */
static int in_namespace(struct pan_child *self)
{
	struct client *c = self->arg;
	__s64 outside = 0;
	int ret;

	ret = client_start(c);
	if (!ret)
		ret = pan_mem_reclaim_write(&c->dev, 1);
	if (!ret)
		ret = pan_child_hear(self, &outside);
	if (!ret)
		ret = pan_child_tell(self, pan_mem_claim_write(&c->dev, outside));
	if (!ret)
		ret = pan_child_hear(self, &outside);
	if (!ret)
		ret = pan_child_tell(self, pan_mem_claim_write(&c->dev, 1));
	return ret ? ret : client_verify(c);
}

TEST_F(mem_claim, pid_namespace)
{
	struct namespace_part inside = { in_namespace, &self->client };
	struct client mine = { .seed = self->client.seed + 1 };
	__s64 pid = 0, answer = 0;
	struct pan_child child;
	int result = 0;

	ASSERT_EQ(0, pan_child_start(&child, namespace_process, &inside));
	ASSERT_EQ(0, pan_child_hear(&child, &pid));
	ASSERT_EQ(0, client_start(&mine));
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));

	/* It asks for us, by the number that we have outside. */
	ASSERT_EQ(0, pan_child_tell(&child, getpid()));
	ASSERT_EQ(0, pan_child_hear(&child, &answer));
	EXPECT_EQ(-ESRCH, answer);

	/* It asks for 1, which is itself. Its number in gems is that of outside. */
	ASSERT_EQ(0, pan_child_tell(&child, 0));
	ASSERT_EQ(0, pan_child_hear(&child, &answer));
	EXPECT_EQ(0, answer);
	expect_resident(_metadata, &self->env.dev, getpid(), false);
	ASSERT_EQ(0, pan_child_tell(&child, -1));
	ASSERT_EQ(0, pan_child_wait(&child, &result));
	EXPECT_EQ(0, result);
	client_stop(&mine);
}

/* What was evicted comes back without swap, because it's in memory then. */
TEST_F(mem_claim, no_swap)
{
	struct client *c = &self->client;

	ASSERT_EQ(0, client_start(c));
	ASSERT_EQ(0, pan_mem_reclaim_write(&c->dev, getpid()));
	ASSERT_EQ(0, swapoff(self->swap));
	self->swap_is_off = true;
	expect_resident(_metadata, &self->env.dev, getpid(), false);
	EXPECT_EQ(0, pan_mem_claim_write(&c->dev, getpid()));
	expect_resident(_metadata, &self->env.dev, getpid(), true);
	EXPECT_EQ(0, client_verify(c));
}

/* The GPU is busy with a job that was submitted before. */
TEST_F(mem_claim, busy_vm)
{
	struct client *c = &self->client;
	__u64 restores;

	ASSERT_EQ(0, client_start(c));
	ASSERT_EQ(0, pan_mem_reclaim_write(&c->dev, getpid()));
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	ASSERT_EQ(0, start_held_job(&c->ctx));
	restores = look(_metadata, self).restores;
	EXPECT_EQ(0, pan_mem_claim_write(&c->dev, getpid()));
	/* It was submitted with everything in its VM, so the rest is what was missing. */
	EXPECT_EQ(restores + 2, look(_metadata, self).restores);
	expect_resident(_metadata, &c->dev, getpid(), true);
	EXPECT_EQ(-EBUSY, pan_sync_result(&c->dev, c->ctx.sync));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	ASSERT_EQ(0, pan_ctx_wait(&c->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(0, client_verify(c));
}

/* The request is traced, with how much came of it. */
TEST_F(mem_claim, trace)
{
	struct client *c = &self->client;
	__u64 value = 0;
	const char *event;
	char *text = NULL;

	ASSERT_EQ(0, client_start(c));
	ASSERT_EQ(0, pan_mem_reclaim_write(&c->dev, getpid()));
	ASSERT_EQ(0, pan_trace_start());
	EXPECT_EQ(0, pan_mem_claim_write(&c->dev, getpid()));
	ASSERT_EQ(0, pan_trace_stop(&text));
	event = pan_trace_next(text, "gem_claim");
	ASSERT_NE(NULL, event);
	EXPECT_EQ(0, pan_trace_value(event, "pid", &value));
	EXPECT_EQ(getpid(), value);
	EXPECT_EQ(0, pan_trace_value(event, "nr_pages", &value));
	EXPECT_EQ(GPU_PAGES + CPU_PAGES + IDLE_PAGES + PAN_CTX_PAGES, value);
	EXPECT_EQ(0, pan_trace_value(event, "ret", &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(NULL, pan_trace_next(event, "gem_claim"));
	free(text);
}

struct large {
	FIXTURE_DATA(mem_claim) *test;
	struct pan_ctx ctx;
	struct pan_bo bos[LARGE_BUFFERS];
	__u64 seed;
};

static int large_start(struct large *large)
{
	int i, ret;

	ret = pan_ctx_create(&large->test->env.dev, 1, &large->ctx);
	for (i = 0; !ret && i < LARGE_BUFFERS; i++) {
		ret = pan_bo_create_mapped(&large->ctx.vm, LARGE + i * PAN_PAGE_SIZE,
					   PAN_PAGE_SIZE, true, &large->bos[i]);
		if (!ret)
			ret = pan_gpu_fill(&large->ctx, large->bos[i].va, LARGE, large->seed + i);
	}
	return ret;
}

/* Returns 1 once a signal came in the middle of it. */
static int interrupt_step(void *arg)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 10000 } };
	const struct itimerval never = {};
	struct large *large = arg;
	struct pan_fdinfo info;
	__u64 before;
	int ret;

	ret = pan_mem_reclaim_write(&large->test->env.dev, getpid());
	if (!ret)
		ret = pan_fdinfo_read(&large->test->env.dev, &info);
	if (ret)
		return ret;
	before = info.evicted;
	setitimer(ITIMER_REAL, &soon, NULL);
	ret = pan_mem_claim_write(&large->test->env.dev, getpid());
	setitimer(ITIMER_REAL, &never, NULL);
	if (ret != -EINTR)
		return ret;
	ret = pan_fdinfo_read(&large->test->env.dev, &info);
	/* What came back stays, what didn't is still evicted. */
	return ret ? ret : info.evicted && info.evicted < before;
}

TEST_F(mem_claim, interrupted)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	struct large large = { .test = self, .seed = self->client.seed };
	struct pan_fdinfo info;
	int i;

	ASSERT_EQ(0, large_start(&large));
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	EXPECT_EQ(1, interrupt_step(&large) ?: pan_poll(interrupt_step, &large,
							PAN_DEADLINE_MS) + 1);
	EXPECT_EQ(0, pan_mem_claim_write(&self->env.dev, getpid()));
	ASSERT_EQ(0, pan_fdinfo_read(&self->env.dev, &info));
	EXPECT_EQ(0, info.evicted);
	for (i = 0; i < LARGE_BUFFERS; i++) {
		EXPECT_GPU_SEES(&large.ctx, large.bos[i].va, LARGE, large.seed + i);
		EXPECT_EQ(0, pan_bo_close(&large.bos[i]));
	}
	EXPECT_EQ(0, pan_ctx_destroy(&large.ctx));
}

TEST_HARNESS_MAIN
