// SPDX-License-Identifier: GPL-2.0
/*
 * Memory cgroups: their knobs work on GPU memory. Each takes what it asks for from the
 * buffers its cgroup pays for, and leaves those of others alone.
 *
 * guest: --kernel plain --mem 512M
 */
#include <signal.h>
#include <sys/stat.h>

#include "evict.h"
#include "pan_child.h"

#define CGROUP		"/sys/fs/cgroup"
#define BUFFER		(512 * 1024)
#define BUFFERS		128		/* 64 MiB */
#define MORE		32		/* 16 MiB */
#define TOTAL		((__u64)BUFFERS * BUFFER)
#define HEAP_CHUNK	(512 * 1024)
#define HEAP_CHUNKS	8
#define LARGE_CHUNK	(2 * 1024 * 1024)
#define LARGE_BUFFER	(16 * 1024 * 1024)

enum { VERIFY = 1, MOVE, ADD, ADD_LARGE, ADD_VM, GROW_HEAP, FILL_HEAP, QUIT };

struct client {
	struct pan_dev dev;
	struct pan_ctx ctx[2];
	struct pan_bo bos[BUFFERS + MORE];
	unsigned int count;
	__u64 seed;
};

/* A process in a cgroup of its own, with buffers that the GPU filled. */
struct tenant {
	struct pan_child child;
	char dir[64];
	const char *other;
	__u64 seed;
};

FIXTURE(evict_memcg) {
	struct pan_env env;
	char parent[64];
	struct tenant a;
	struct tenant b;
};

static int client_add(struct client *c, struct pan_ctx *ctx, unsigned int count)
{
	int ret = 0;

	while (!ret && count--) {
		struct pan_bo *bo = &c->bos[c->count];

		ret = pan_bo_create_mapped(&ctx->vm, BUFFER, PAN_PAGE_SIZE, true, bo);
		if (!ret)
			ret = pan_gpu_fill(ctx, bo->va, BUFFER, c->seed + c->count++);
	}
	return ret;
}

static int client_add_vm(struct client *c)
{
	int ret = pan_ctx_create(&c->dev, 1, &c->ctx[1]);

	return ret ? ret : client_add(c, &c->ctx[1], MORE);
}

/* Not one of those that are verified, as it's another size. */
static int client_add_large(struct client *c)
{
	struct pan_bo bo;
	int ret = pan_bo_create_mapped(&c->ctx[0].vm, LARGE_BUFFER, PAN_PAGE_SIZE, true, &bo);

	return ret ? ret : pan_gpu_fill(&c->ctx[0], bo.va, LARGE_BUFFER, 1);
}

/* Each tiling instruction needs a chunk more; the driver allocates it meanwhile. */
static int grow_heap(struct pan_ctx *ctx, __u32 chunk)
{
	struct drm_panthor_tiler_heap_create heap;
	struct pan_cs cs;
	int i, ret;

	ret = pan_heap_create(&ctx->vm, 1, chunk, HEAP_CHUNKS + 1, 0xffff, &heap);
	if (ret)
		return ret;
	pan_cs_init(&cs);
	pan_cs_set64(&cs, 0, heap.tiler_heap_ctx_gpu_va);
	pan_cs_emit(&cs, csf_heap_set(0));
	pan_cs_emit(&cs, csf_heap_operation(CSF_HEAP_VT_START));
	for (i = 0; i < HEAP_CHUNKS; i++)
		pan_cs_emit(&cs, csf_instr(CSF_OP_RUN_TILING, 0, 0, 0, 0));
	pan_cs_emit(&cs, csf_heap_operation(CSF_HEAP_VT_END));
	pan_cs_emit(&cs, csf_heap_operation(CSF_HEAP_FRAG_END));
	return pan_ctx_run(ctx, &cs);
}

/* A job that doesn't get the chunks it needs fails, and takes its group with it. */
static int client_fill_heap(struct client *c)
{
	int ret = pan_ctx_create(&c->dev, 1, &c->ctx[1]);

	if (ret)
		return ret;
	ret = grow_heap(&c->ctx[1], LARGE_CHUNK);
	return ret == -ETIME ? ret : 0;
}

static int client_verify(struct client *c)
{
	struct pan_ctx *ctx;
	__u64 wrong = 0;
	unsigned int i;
	int ret;

	for (i = 0; i < c->count; i++) {
		ctx = i < BUFFERS || !c->ctx[1].vm.dev ? &c->ctx[0] : &c->ctx[1];
		ret = pan_gpu_verify(ctx, c->bos[i].va, BUFFER, c->seed + i, &wrong);
		if (ret || wrong)
			return ret ? ret : -EBADMSG;
	}
	return 0;
}

static int enter(const char *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	return pan_write_file(path, "0");
}

static int play(struct pan_child *self)
{
	struct tenant *t = self->arg;
	struct client c = { .seed = t->seed };
	__s64 what = QUIT;
	int ret;

	ret = enter(t->dir);
	if (!ret)
		ret = pan_open(&c.dev);
	if (!ret)
		ret = pan_ctx_create(&c.dev, 1, &c.ctx[0]);
	if (!ret)
		ret = client_add(&c, &c.ctx[0], BUFFERS);
	pan_child_tell(self, ret);
	while (!ret && !pan_child_hear(self, &what) && what != QUIT) {
		ret = what == VERIFY ? client_verify(&c) :
		      what == MOVE ? enter(t->other) :
		      what == ADD ? client_add(&c, &c.ctx[0], MORE) :
		      what == GROW_HEAP ? grow_heap(&c.ctx[0], HEAP_CHUNK) :
		      what == ADD_LARGE ? client_add_large(&c) :
		      what == FILL_HEAP ? client_fill_heap(&c) : client_add_vm(&c);
		pan_child_tell(self, ret);
	}
	return ret;
}

static int tenant_start(struct tenant *t)
{
	__s64 answer = -1;
	int ret;

	ret = mkdir(t->dir, 0755) ? -errno : 0;
	if (!ret)
		ret = pan_child_start(&t->child, play, t);
	if (!ret)
		ret = pan_child_hear(&t->child, &answer);
	return ret ? ret : answer;
}

static int tenant_do(struct tenant *t, __s64 what)
{
	__s64 answer = -1;
	int ret;

	ret = pan_child_tell(&t->child, what);
	if (!ret)
		ret = pan_child_hear(&t->child, &answer);
	return ret ? ret : answer;
}

static int tenant_remove(void *arg)
{
	struct tenant *t = arg;

	if (!rmdir(t->dir) || errno == ENOENT)
		return 1;
	return errno == EBUSY ? 0 : -errno;
}

static void tenant_stop(struct __test_metadata *_metadata, struct tenant *t)
{
	int result = -1;

	if (t->child.pid > 0) {
		EXPECT_EQ(0, pan_child_tell(&t->child, QUIT));
		EXPECT_EQ(0, pan_child_wait(&t->child, &result));
		EXPECT_EQ(0, result);
	}
	EXPECT_EQ(0, pan_poll(tenant_remove, t, PAN_DEADLINE_MS));
}

static int write_knob(const char *dir, const char *knob, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, knob);
	return pan_write_file(path, value);
}

FIXTURE_SETUP(evict_memcg)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	ASSERT_EQ(0, pan_write_file(CGROUP "/cgroup.subtree_control", "+memory"));
	/* One of its own, so what a failed test leaves behind isn't in the way. */
	snprintf(self->parent, sizeof(self->parent), CGROUP "/evict-memcg-%d", getpid());
	snprintf(self->a.dir, sizeof(self->a.dir), CGROUP "/evict-memcg-%d/a", getpid());
	snprintf(self->b.dir, sizeof(self->b.dir), CGROUP "/evict-memcg-%d/b", getpid());
	ASSERT_EQ(0, mkdir(self->parent, 0755));
	ASSERT_EQ(0, write_knob(self->parent, "cgroup.subtree_control", "+memory"));
	self->a.other = self->b.dir;
	self->b.other = self->a.dir;
	self->a.seed = pan_rand(&self->env.rand);
	self->b.seed = pan_rand(&self->env.rand);
	/* The one that was idle for longer, and would go first, is never the one asked. */
	ASSERT_EQ(0, tenant_start(&self->b));
	ASSERT_EQ(0, tenant_start(&self->a));
}

FIXTURE_TEARDOWN(evict_memcg)
{
	tenant_stop(_metadata, &self->a);
	tenant_stop(_metadata, &self->b);
	EXPECT_EQ(0, rmdir(self->parent));
	PAN_ENV_TEARDOWN(&self->env);
}

static int knob_write(struct tenant *t, const char *knob, const char *value)
{
	return write_knob(t->dir, knob, value);
}

static int knob_write_u64(struct tenant *t, const char *knob, __u64 value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", value);
	return knob_write(t, knob, text);
}

static __u64 usage(struct tenant *t, const char *knob)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), "%s/%s", t->dir, knob);
	if (pan_read_file(path, text, sizeof(text)) < 0)
		return 0;
	return strtoull(text, NULL, 10);
}

static __u64 event(struct tenant *t, const char *name)
{
	char path[128], text[1024], *p;

	snprintf(path, sizeof(path), "%s/memory.events", t->dir);
	if (pan_read_file(path, text, sizeof(text)) < 0)
		return ~0ULL;
	p = strstr(text, name);
	return p ? strtoull(p + strlen(name), NULL, 10) : ~0ULL;
}

/* How much of what a process has is evicted. */
static __u64 evicted(struct __test_metadata *_metadata, FIXTURE_DATA(evict_memcg) *self,
		     struct tenant *t)
{
	struct pan_gems gems = {};
	__u64 bytes = 0;
	size_t i;

	ASSERT_EQ(0, pan_gems_read(&self->env.dev, &gems)) return 0;
	for (i = 0; i < gems.count; i++) {
		if (gems.gems[i].tgid == t->child.pid && gem_is_evicted(&gems.gems[i]))
			bytes += gems.gems[i].size;
	}
	pan_gems_free(&gems);
	return bytes;
}

#define EVICTED(t) evicted(_metadata, self, &self->t)
#define EXPECT_INTACT() do {							\
	EXPECT_EQ(0, tenant_do(&self->a, VERIFY));				\
	EXPECT_EQ(0, tenant_do(&self->b, VERIFY));				\
} while (0)

/* memory.reclaim: as much as was asked, from whom it was asked. */
TEST_F(evict_memcg, reclaim)
{
	__u64 before = usage(&self->a, "memory.current"), asked;

	EXPECT_LE(TOTAL, before);
	for (asked = 4 * PAN_SZ_1M; asked <= 16 * PAN_SZ_1M; asked *= 2) {
		__u64 got = EVICTED(a);

		ASSERT_EQ(0, knob_write_u64(&self->a, "memory.reclaim", asked));
		got = EVICTED(a) - got;
		TH_LOG("asked for %llu KiB, %llu KiB evicted", asked / 1024, got / 1024);
		EXPECT_LE(asked / 2, got);
		EXPECT_GE(asked / 10 * 11 + BUFFER, got);
	}
	EXPECT_LE(usage(&self->a, "memory.current"), before - 20 * PAN_SZ_1M);
	EXPECT_EQ(0, EVICTED(b));
	EXPECT_INTACT();
}

/* The cgroup above them asks both. */
TEST_F(evict_memcg, proportional)
{
	__u64 a, b;

	ASSERT_EQ(0, write_knob(self->parent, "memory.reclaim", "33554432"));
	a = EVICTED(a);
	b = EVICTED(b);
	TH_LOG("%llu KiB and %llu KiB evicted", a / 1024, b / 1024);
	EXPECT_LE(32 * PAN_SZ_1M - 4 * PAN_SZ_1M, a + b);
	EXPECT_GE(48 * PAN_SZ_1M, a + b);
	EXPECT_LE(a + b, 4 * a);
	EXPECT_LE(a + b, 4 * b);
	EXPECT_INTACT();
}

static int below(void *arg)
{
	struct tenant *t = arg;

	return usage(t, "memory.current") <= usage(t, "memory.high");
}

/* memory.high below what's used is met at once. */
TEST_F(evict_memcg, high)
{
	ASSERT_EQ(0, knob_write_u64(&self->a, "memory.high",
				    usage(&self->a, "memory.current") - TOTAL / 2));
	EXPECT_EQ(0, pan_poll(below, &self->a, PAN_DEADLINE_MS));
	EXPECT_LE(TOTAL / 4, EVICTED(a));
	EXPECT_EQ(0, EVICTED(b));
	ASSERT_EQ(0, knob_write(&self->a, "memory.high", "max"));
	EXPECT_INTACT();
}

/* memory.max, too, and nobody is killed for it. What's used in turn fits in it. */
TEST_F(evict_memcg, max)
{
	__u64 limit = usage(&self->a, "memory.current") - TOTAL / 2;

	ASSERT_EQ(0, knob_write_u64(&self->a, "memory.max", limit));
	EXPECT_GE(limit, usage(&self->a, "memory.current"));
	EXPECT_LE(TOTAL / 4, EVICTED(a));
	EXPECT_EQ(0, event(&self->a, "oom_kill "));
	EXPECT_EQ(0, EVICTED(b));
	ASSERT_EQ(0, knob_write(&self->a, "memory.max", "max"));
	EXPECT_INTACT();
}

/* A second VM at the limit: the one that's idle makes room. */
static void add_vm(struct __test_metadata *_metadata, FIXTURE_DATA(evict_memcg) *self,
		   const char *knob)
{
	__u64 limit = usage(&self->a, "memory.current") + 4 * PAN_SZ_1M;

	ASSERT_EQ(0, knob_write_u64(&self->a, knob, limit));
	EXPECT_EQ(0, tenant_do(&self->a, ADD_VM));
	EXPECT_LE(MORE * BUFFER - 5 * PAN_SZ_1M, EVICTED(a));
	EXPECT_EQ(0, event(&self->a, "oom_kill "));
	EXPECT_EQ(0, EVICTED(b));
	ASSERT_EQ(0, knob_write(&self->a, knob, "max"));
	EXPECT_INTACT();
}

TEST_F(evict_memcg, add_high)
{
	add_vm(_metadata, self, "memory.high");
}

TEST_F(evict_memcg, add_max)
{
	add_vm(_metadata, self, "memory.max");
}

/* memory.low and memory.min: the others first. */
static void protect(struct __test_metadata *_metadata, FIXTURE_DATA(evict_memcg) *self,
		    const char *knob)
{
	ASSERT_EQ(0, write_knob(self->parent, knob, "1073741824"));
	ASSERT_EQ(0, knob_write_u64(&self->b, knob, 1024 * PAN_SZ_1M));
	ASSERT_EQ(0, write_knob(self->parent, "memory.reclaim", "16777216"));
	EXPECT_LE(12 * PAN_SZ_1M, EVICTED(a));
	EXPECT_EQ(0, EVICTED(b));
	ASSERT_EQ(0, knob_write(&self->b, knob, "0"));
	EXPECT_INTACT();
}

TEST_F(evict_memcg, low)
{
	protect(_metadata, self, "memory.low");
}

TEST_F(evict_memcg, min)
{
	protect(_metadata, self, "memory.min");
}

/* Those who don't know about cgroups get nothing, either, and don't try. */
static void reclaim_process(struct __test_metadata *_metadata, FIXTURE_DATA(evict_memcg) *self)
{
	__u64 skipped, still;

	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-no-swap", &skipped));
	EXPECT_EQ(-EAGAIN, pan_mem_reclaim_write(&self->env.dev, self->a.child.pid));
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "skipped-no-swap", &still));
	EXPECT_LT(skipped, still);
}

/* memory.swap.max: what has nowhere to go stays, and isn't even tried. */
TEST_F(evict_memcg, swap_max)
{
	ASSERT_EQ(0, knob_write(&self->a, "memory.swap.max", "0"));
	EXPECT_EQ(-EAGAIN, knob_write_u64(&self->a, "memory.reclaim", 16 * PAN_SZ_1M));
	EXPECT_EQ(0, EVICTED(a));
	/* Memory management doesn't ask then, others do. Once refused, it's left alone anyway. */
	reclaim_process(_metadata, self);
	EXPECT_EQ(0, EVICTED(a));
	EXPECT_EQ(0, event(&self->a, "oom_kill "));

	ASSERT_EQ(0, knob_write_u64(&self->a, "memory.swap.max", 8 * PAN_SZ_1M));
	EXPECT_EQ(-EAGAIN, knob_write_u64(&self->a, "memory.reclaim", 48 * PAN_SZ_1M));
	EXPECT_LE(4 * PAN_SZ_1M, EVICTED(a));
	EXPECT_GE(9 * PAN_SZ_1M, EVICTED(a));
	EXPECT_GE(8 * PAN_SZ_1M, usage(&self->a, "memory.swap.current"));
	reclaim_process(_metadata, self);
	EXPECT_GE(9 * PAN_SZ_1M, EVICTED(a));
	EXPECT_EQ(0, EVICTED(b));
	EXPECT_INTACT();
}

/* What doesn't fit is left alone, rather than evicted and reported as freed. */
TEST_F(evict_memcg, swap_margin)
{
	ASSERT_EQ(0, tenant_do(&self->a, ADD_LARGE));
	/* Room for all others, and what the driver and the process have for themselves */
	ASSERT_EQ(0, knob_write_u64(&self->a, "memory.swap.max", TOTAL + LARGE_BUFFER / 2));
	EXPECT_EQ(-EAGAIN, knob_write_u64(&self->a, "memory.reclaim", 1024 * PAN_SZ_1M));
	EXPECT_LE(TOTAL - LARGE_BUFFER / 2, EVICTED(a));
	EXPECT_GE(TOTAL + LARGE_BUFFER / 2, EVICTED(a));
	EXPECT_EQ(-EAGAIN, knob_write_u64(&self->a, "memory.reclaim", LARGE_BUFFER / 2));
	EXPECT_GE(TOTAL + LARGE_BUFFER / 2, EVICTED(a));
	reclaim_process(_metadata, self);
	EXPECT_GE(TOTAL + LARGE_BUFFER / 2, EVICTED(a));
	EXPECT_EQ(0, event(&self->a, "oom_kill "));
	EXPECT_INTACT();
}

/* Who moves leaves what's there behind, and pays for the rest from then on. */
TEST_F(evict_memcg, moved)
{
	__u64 before = usage(&self->b, "memory.current"), old;

	ASSERT_EQ(0, tenant_do(&self->a, MOVE));
	ASSERT_EQ(0, tenant_do(&self->a, ADD));
	EXPECT_LE(before + MORE * BUFFER, usage(&self->b, "memory.current"));

	/* Nobody is left in there, but it still has to pay. */
	ASSERT_EQ(0, knob_write_u64(&self->a, "memory.reclaim", 16 * PAN_SZ_1M));
	old = EVICTED(a);
	EXPECT_LE(12 * PAN_SZ_1M, old);
	EXPECT_EQ(0, EVICTED(b));

	/* All of it: what belongs to the first cgroup stays. */
	knob_write_u64(&self->b, "memory.reclaim", 1024 * PAN_SZ_1M);
	EXPECT_EQ(TOTAL, EVICTED(b) / PAN_SZ_1M * PAN_SZ_1M);
	EXPECT_LE(old + (MORE - 1) * BUFFER, EVICTED(a));
	EXPECT_GE(old + (MORE + 1) * BUFFER, EVICTED(a));
	EXPECT_INTACT();

	/* A request for the process takes what it has, whoever pays. */
	EXPECT_EQ(0, pan_mem_reclaim_write(&self->env.dev, self->a.child.pid));
	EXPECT_LE(TOTAL + MORE * BUFFER, EVICTED(a));
	EXPECT_INTACT();
}

/* What the driver allocates while a job is executed belongs to whoever submitted it. */
TEST_F(evict_memcg, heap)
{
	__u64 before = usage(&self->a, "memory.current");

	ASSERT_EQ(0, pan_model_knob_set("tiler_oom_auto", "1"));
	ASSERT_EQ(0, tenant_do(&self->a, GROW_HEAP));
	EXPECT_LE(before + HEAP_CHUNKS * HEAP_CHUNK, usage(&self->a, "memory.current"));
	EXPECT_INTACT();
}

/* Nobody can be reclaimed from while a job waits for it, but there's a limit. */
TEST_F(evict_memcg, heap_at_the_limit)
{
	__u64 refused = PAN_COUNTER("tiler_oom_refused");
	__u64 max = usage(&self->a, "memory.current") + 2 * PAN_SZ_1M;

	ASSERT_EQ(0, pan_model_knob_set("tiler_oom_auto", "1"));
	ASSERT_EQ(0, knob_write_u64(&self->a, "memory.max", max));
	ASSERT_EQ(0, tenant_do(&self->a, FILL_HEAP));
	EXPECT_LT(refused, PAN_COUNTER("tiler_oom_refused"));
	EXPECT_GE(max + max / 16 + PAN_SZ_1M, usage(&self->a, "memory.current"));
	EXPECT_EQ(0, event(&self->a, "oom_kill "));
	EXPECT_INTACT();
}

/* Above memory.high, a worker must not be throttled while the job waits for it. */
TEST_F(evict_memcg, heap_above_high)
{
	__u64 refused = PAN_COUNTER("tiler_oom_refused");
	__u64 before = usage(&self->a, "memory.current");

	ASSERT_EQ(0, pan_model_knob_set("tiler_oom_auto", "1"));
	/* Nothing can go to swap, so it stays above. */
	ASSERT_EQ(0, knob_write(&self->a, "memory.swap.max", "0"));
	ASSERT_EQ(0, knob_write_u64(&self->a, "memory.high", before - before / 10));
	ASSERT_EQ(0, tenant_do(&self->a, FILL_HEAP));
	/* On 6.12, it's a task that is never throttled, so the heap may grow. */
	if (pan_is_newer())
		EXPECT_LT(refused, PAN_COUNTER("tiler_oom_refused"));
	ASSERT_EQ(0, knob_write(&self->a, "memory.high", "max"));
	EXPECT_INTACT();
}

/* A moment after a cgroup was removed, the one above it takes over. */
static int reclaim_parent(void *arg)
{
	int ret = write_knob(arg, "memory.reclaim", "16777216");

	return ret == -EAGAIN ? 0 : ret ? ret : 1;
}

/* The buffers of a cgroup that's gone are found in the one above it. */
TEST_F(evict_memcg, removed)
{
	ASSERT_EQ(0, tenant_do(&self->a, MOVE));
	ASSERT_EQ(0, pan_poll(tenant_remove, &self->a, PAN_DEADLINE_MS));
	EXPECT_EQ(0, EVICTED(a));
	ASSERT_EQ(0, knob_write_u64(&self->b, "memory.low", 0));
	ASSERT_EQ(0, write_knob(self->parent, "memory.low", "1073741824"));
	ASSERT_EQ(0, knob_write_u64(&self->b, "memory.min", 1024 * PAN_SZ_1M));
	ASSERT_EQ(0, write_knob(self->parent, "memory.min", "1073741824"));
	ASSERT_EQ(0, pan_poll(reclaim_parent, self->parent, PAN_DEADLINE_MS));
	EXPECT_LE(12 * PAN_SZ_1M, EVICTED(a));
	EXPECT_EQ(0, EVICTED(b));
	EXPECT_INTACT();
}

/* It's shown who has what. */
TEST_F(evict_memcg, debugfs)
{
	char path[256], text[8192], line[64], *p;

	snprintf(line, sizeof(line), "cgroup /evict-memcg-%d/a: ", getpid());
	ASSERT_EQ(0, pan_debugfs_path(&self->env.dev, "reclaim", path, sizeof(path)));
	ASSERT_LT(0, pan_read_file(path, text, sizeof(text)));
	p = strstr(text, line);
	ASSERT_NE(NULL, p);
	EXPECT_LE(TOTAL / PAN_PAGE_SIZE, strtoull(strchr(p, ':') + 1, NULL, 10));
	ASSERT_EQ(0, knob_write_u64(&self->a, "memory.reclaim", 16 * PAN_SZ_1M));
	ASSERT_LT(0, pan_read_file(path, text, sizeof(text)));
	p = strstr(text, line);
	ASSERT_NE(NULL, p);
	EXPECT_GE((TOTAL - 12 * PAN_SZ_1M) / PAN_PAGE_SIZE,
		  strtoull(strchr(p, ':') + 1, NULL, 10));
	line[strlen(line) - 3] = 'b';
	ASSERT_NE(NULL, strstr(text, line));
}

TEST_HARNESS_MAIN
