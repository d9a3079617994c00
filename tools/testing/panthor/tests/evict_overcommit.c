// SPDX-License-Identifier: GPL-2.0
/*
 * Clients which are all in use, and which don't fit in memory together: each
 * gets its turn, no job is refused, nobody is killed, and each page has what was
 * written to it. Case 14.
 *
 * guest: --kernel plain --mem 192M
 */
#include "evict.h"
#include "pan_child.h"

#define CLIENTS		2
#define PERCENT		60	/* of the memory, for each client */
#define BUFFER		PAN_SZ_1M
#define MAX_BUFFERS	1024
#define QUEUED		2	/* jobs of a client that is never idle */
#define JOB_ROUNDS	20000
#define TEST_MS		(10 * 120000)

FIXTURE(evict_overcommit) {
	struct pan_env env;
	__u64 seed;
	int buffers;
	int queued;
	__u64 oom_kills;
	__u64 evictions;
};

/*
 * How many of the clients always have a job queued behind the running one, and
 * whether all of them were evicted before, so they want their memory back at the
 * same time.
 */
FIXTURE_VARIANT(evict_overcommit) {
	int busy;
	bool evicted;
};

FIXTURE_VARIANT_ADD(evict_overcommit, none_busy) { .busy = 0 };
FIXTURE_VARIANT_ADD(evict_overcommit, one_busy) { .busy = 1 };
FIXTURE_VARIANT_ADD(evict_overcommit, all_busy) { .busy = CLIENTS };
FIXTURE_VARIANT_ADD(evict_overcommit, all_evicted) { .busy = CLIENTS, .evicted = true };

FIXTURE_SETUP(evict_overcommit)
{
	__u64 available = 0;

	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	self->seed = pan_rand(&self->env.rand);
	ASSERT_EQ(0, pan_meminfo("MemAvailable", &available));
	self->buffers = available / 100 * PERCENT / BUFFER;
	ASSERT_GE(MAX_BUFFERS, self->buffers);
	ASSERT_EQ(0, pan_vmstat("oom_kill", &self->oom_kills));
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "evictions", &self->evictions));
}

FIXTURE_TEARDOWN(evict_overcommit)
{
	PAN_ENV_TEARDOWN(&self->env);
}

struct client {
	struct pan_dev dev;
	struct pan_ctx ctx;
	struct pan_bo *bos;
	int buffers;
	__u64 seed;
	__u64 stream;
	__u32 stream_size;
	__u32 syncs[QUEUED];
};

/* What went wrong in a client, which is another process. */
#define CLIENT_TRY(what) do {							\
	int __ret = (what);							\
										\
	if (__ret) {								\
		printf("# client %d: %s: %d\n", getpid(), #what, __ret);	\
		fflush(stdout);							\
		return __ret;							\
	}									\
} while (0)

static int client_fill(struct client *c)
{
	int i;

	for (i = 0; i < c->buffers; i++) {
		CLIENT_TRY(pan_bo_create_mapped(&c->ctx.vm, BUFFER, PAN_PAGE_SIZE, true,
						&c->bos[i]));
		CLIENT_TRY(pan_gpu_fill(&c->ctx, c->bos[i].va, BUFFER, c->seed + i));
	}
	return 0;
}

static int client_prepare_job(struct client *c)
{
	struct pan_cs cs;
	int i;

	for (i = 0; i < QUEUED; i++)
		CLIENT_TRY(pan_sync_create(&c->dev, &c->syncs[i]));
	pan_cs_init(&cs);
	pan_cs_delay(&cs, JOB_ROUNDS);
	c->stream_size = pan_cs_size(&cs);
	CLIENT_TRY(pan_ctx_upload(&c->ctx, &cs, &c->stream));
	return 0;
}

static int client_submit(struct client *c, __u32 sync)
{
	struct drm_panthor_sync_op op = pan_signal_op(sync);

	CLIENT_TRY(pan_queue_submit(&c->ctx.group, 0, c->stream, c->stream_size, &op, 1));
	return 0;
}

static int client_wait(struct client *c, __u32 sync)
{
	CLIENT_TRY(pan_sync_wait(&c->dev, sync, TEST_MS));
	CLIENT_TRY(pan_sync_reset(&c->dev, sync));
	return 0;
}

/* Run jobs until there were that many restores, whoever's: all stop together. */
static int client_run(struct client *c, int queued, __u64 target)
{
	__u64 end = pan_now_ms() + TEST_MS, restores = 0;
	int i;

	for (i = 0; i < queued - 1; i++)
		CLIENT_TRY(client_submit(c, c->syncs[i]));
	while (restores < target) {
		CLIENT_TRY(client_submit(c, c->syncs[i % queued]));
		i++;
		CLIENT_TRY(client_wait(c, c->syncs[i % queued]));
		CLIENT_TRY(pan_reclaim_counter(&c->dev, "restores", &restores));
		CLIENT_TRY(pan_now_ms() < end ? 0 : -ETIMEDOUT);
		if (queued == 1)
			pan_relax();
	}
	for (i++; queued > 1; queued--, i++)
		CLIENT_TRY(client_wait(c, c->syncs[i % QUEUED]));
	return 0;
}

static int client_verify(struct client *c)
{
	__u64 wrong = ~0ULL;
	int i;

	for (i = 0; i < c->buffers; i++) {
		CLIENT_TRY(pan_gpu_verify(&c->ctx, c->bos[i].va, BUFFER, c->seed + i, &wrong));
		CLIENT_TRY(wrong ? -EILSEQ : 0);
	}
	for (i = 0; i < c->buffers; i++) {
		CLIENT_TRY(pan_bo_mmap(&c->bos[i]));
		CLIENT_TRY(pan_verify_edges(c->bos[i].map, BUFFER, c->seed + i) ? -EILSEQ : 0);
	}
	return 0;
}

static int client_main(struct pan_child *self)
{
	FIXTURE_DATA(evict_overcommit) *test = self->arg;
	struct pan_bo bos[MAX_BUFFERS];
	struct client c = { .bos = bos, .buffers = test->buffers, .seed = test->seed };
	__s64 target = 0;

	CLIENT_TRY(pan_open(&c.dev));
	CLIENT_TRY(pan_ctx_create(&c.dev, 1, &c.ctx));
	CLIENT_TRY(client_fill(&c));
	CLIENT_TRY(client_prepare_job(&c));
	CLIENT_TRY(pan_child_tell(self, 0));
	CLIENT_TRY(pan_child_hear(self, &target));
	CLIENT_TRY(client_run(&c, test->queued, target));
	return client_verify(&c);
}

/* Until there's nothing left: what clients have pinned, and so on, doesn't count. */
static int evict_all(struct pan_dev *dev)
{
	__u64 end = pan_now_ms() + TEST_MS, pages;
	int ret;

	do {
		ret = pan_shrink(dev, EVERYTHING, &pages);
	} while (!ret && pages && pan_now_ms() < end);

	return ret ?: pages ? -ETIMEDOUT : 0;
}

TEST_F_TIMEOUT(evict_overcommit, turns, 2 * TEST_MS / 1000)
{
	struct pan_child clients[CLIENTS];
	int i, result = 0;
	__u64 now = 0;
	__s64 filled;

	for (i = 0; i < CLIENTS; i++) {
		self->queued = i < variant->busy ? QUEUED : 1;
		self->seed += MAX_BUFFERS;
		ASSERT_EQ(0, pan_child_start(&clients[i], client_main, self));
	}
	for (i = 0; i < CLIENTS; i++)
		ASSERT_EQ(0, pan_child_hear(&clients[i], &filled));
	if (variant->evicted)
		ASSERT_EQ(0, evict_all(&self->env.dev));
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "restores", &now));
	for (i = 0; i < CLIENTS; i++)
		ASSERT_EQ(0, pan_child_tell(&clients[i], now + CLIENTS * self->buffers));
	for (i = 0; i < CLIENTS; i++) {
		ASSERT_EQ(0, pan_child_wait(&clients[i], &result));
		EXPECT_EQ(0, result);
	}
	ASSERT_EQ(0, pan_vmstat("oom_kill", &now));
	EXPECT_EQ(self->oom_kills, now);
	ASSERT_EQ(0, pan_reclaim_counter(&self->env.dev, "evictions", &now));
	EXPECT_LE(self->evictions + CLIENTS * self->buffers, now);
}

TEST_HARNESS_MAIN
