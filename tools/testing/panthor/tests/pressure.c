// SPDX-License-Identifier: GPL-2.0
/*
 * More GPU memory than there is RAM. Clients take turns, as applications in the
 * foreground and in the background do: each works while the others are idle.
 * Nobody asks for eviction here, it's the kernel's own reclaim. Case 14.
 *
 * SOAK=n makes it n minutes.
 * guest: --kernel plain --mem 192M --swap 1G
 */
#include "evict.h"
#include "pan_child.h"

#define CLIENTS		4
#define BOS		16

/* What clients say. */
enum { GOES_ON, READY };

/* One buffer a client is CPU-mapped and one is shared by two mappings. */
struct client {
	struct pan_dev dev;
	struct pan_ctx ctx;
	struct pan_bo bos[BOS];
	__u64 seed;
	__u64 bo_size;
	pid_t pid;
};

FIXTURE(pressure) {
	struct pan_env env;
	struct client client;
	__u64 total;
	__u64 oom_kills;
};

FIXTURE_SETUP(pressure)
{
	__u64 swap = 0;

	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	ASSERT_EQ(0, pan_meminfo("MemTotal", &self->total));
	ASSERT_EQ(0, pan_swap_free(&swap));
	if (swap < 2 * self->total)
		SKIP(return, "swap is smaller than twice the RAM");
	ASSERT_EQ(0, pan_vmstat("oom_kill", &self->oom_kills));
}

FIXTURE_TEARDOWN(pressure)
{
	__u64 oom_kills = ~0ULL;

	EXPECT_EQ(0, pan_vmstat("oom_kill", &oom_kills));
	EXPECT_EQ(self->oom_kills, oom_kills);
	PAN_ENV_TEARDOWN(&self->env);
}

/* Everything that takes long says that it goes on. */
static int client_fill(struct client *c, struct pan_child *self)
{
	int i, ret = 0;

	for (i = 0; !ret && i < BOS; i++) {
		ret = pan_gpu_fill(&c->ctx, c->bos[i].va, c->bo_size, c->seed + i);
		if (!ret)
			ret = pan_child_tell(self, GOES_ON);
	}
	return ret;
}

static int client_start(struct client *c, struct pan_child *self)
{
	int i, ret;

	ret = pan_open(&c->dev);
	if (!ret)
		ret = pan_ctx_create(&c->dev, 1, &c->ctx);
	for (i = 0; !ret && i < BOS; i++)
		ret = pan_bo_create_mapped(&c->ctx.vm, c->bo_size, PAN_PAGE_SIZE, i & 1,
					   &c->bos[i]);
	if (!ret)
		ret = client_fill(c, self);
	return ret ? ret : pan_bo_mmap(&c->bos[0]);
}

static int content_is_wrong(const char *who, int bo, __u64 wrong)
{
	if (wrong)
		printf("# process %d: the %s sees %llu wrong words in buffer %d\n", getpid(), who,
		       wrong, bo);
	return wrong ? -EILSEQ : 0;
}

/*
 * All of it by the GPU, and some of it by the CPU; then something new. Where others
 * evict what's idle, each job brings back all of the client's memory.
 */
static int client_turn(struct client *c, struct pan_child *self)
{
	__u64 wrong;
	int i, ret = 0;

	for (i = 0; !ret && i < BOS; i++) {
		wrong = ~0ULL;
		ret = pan_gpu_verify(&c->ctx, c->bos[i].va, c->bo_size, c->seed + i, &wrong);
		if (!ret)
			ret = content_is_wrong("GPU", i, wrong);
		if (!ret)
			ret = pan_child_tell(self, GOES_ON);
	}
	if (!ret)
		ret = content_is_wrong("CPU", 0, pan_verify(c->bos[0].map, c->bo_size, c->seed));
	c->seed++;
	return ret ? ret : client_fill(c, self);
}

/* @longest: time that a turn took, in milliseconds */
static int turn_end(struct pan_child *client, __u64 *longest)
{
	__u64 start = pan_now_ms(), took;
	__s64 says = GOES_ON;
	int ret = 0;

	while (!ret && says == GOES_ON)
		ret = pan_child_hear(client, &says);
	took = pan_now_ms() - start;
	if (took > *longest)
		*longest = took;
	return ret;
}

static int client_process(struct pan_child *self)
{
	struct client *c = self->arg;
	__s64 go_on = 1;
	int ret = client_start(c, self);

	while (!ret && go_on) {
		ret = pan_child_tell(self, READY);
		if (!ret)
			ret = pan_child_hear(self, &go_on);
		if (!ret && go_on)
			ret = client_turn(c, self);
	}
	if (ret)
		printf("# process %d ends with %d\n", getpid(), ret);
	fflush(stdout);
	return ret;
}

static __u64 end_ms(void)
{
	const char *soak = getenv("SOAK");
	__u64 minutes;

	if (!soak || pan_parse_u64(soak, 10, &minutes))
		minutes = 0;
	return pan_now_ms() + minutes * 60000;
}

TEST_F_TIMEOUT(pressure, clients_take_turns, 100000)
{
	struct pan_child clients[CLIENTS];
	__u64 end = end_ms(), rounds = 0, longest = 0;
	struct pan_reclaim r;
	int i, result = 0;

	/* One and a half times the RAM. */
	self->client.bo_size = self->total * 3 / 2 / CLIENTS / BOS & ~(PAN_PAGE_SIZE - 1);
	for (i = 0; i < CLIENTS; i++) {
		self->client.seed = pan_rand(&self->env.rand);
		ASSERT_EQ(0, pan_child_start(&clients[i], client_process, &self->client));
		ASSERT_EQ(0, turn_end(&clients[i], &longest));
	}
	do {
		for (i = 0; i < CLIENTS; i++) {
			ASSERT_EQ(0, pan_child_tell(&clients[i], 1));
			ASSERT_EQ(0, turn_end(&clients[i], &longest));
		}
		rounds++;
	} while (pan_now_ms() < end);
	ASSERT_EQ(0, pan_reclaim_read(&self->env.dev, &r));
	TH_LOG("%llu MiB in %llu MiB of RAM, %llu rounds, turns up to %llu ms: %llu evictions, %llu restores",
	       CLIENTS * BOS * self->client.bo_size >> 20, self->total >> 20, rounds, longest,
	       r.evictions, r.restores);
	EXPECT_LT(CLIENTS, r.evictions);
	EXPECT_LT(CLIENTS, r.restores);
	EXPECT_SOUND(&self->env.dev);
	for (i = 0; i < CLIENTS; i++) {
		ASSERT_EQ(0, pan_child_tell(&clients[i], 0));
		ASSERT_EQ(0, pan_child_wait(&clients[i], &result));
		EXPECT_EQ(0, result);
	}
}

TEST_HARNESS_MAIN
