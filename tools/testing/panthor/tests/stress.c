// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once: processes that create, map, bind, submit, verify, unbind
 * and close, each at random, while memory is reclaimed by debugfs shrink, by
 * mem_reclaim, and because there is too little of it. Case 13.
 *
 * SOAK=n makes it n minutes.
 * guest: --mem 256M --swap 1G
 */
#include <sched.h>
#include <signal.h>

#include "evict.h"
#include "pan_child.h"

#define WORKERS		4
#define BOS		12
#define MAX_PAGES	300
#define DEFAULT_MS	20000
/* It takes as long as it takes to do that much. */
#define MIN_STEPS	10
#define MIN_EVICTIONS	100
#define MIN_RESTORES	50

/* A buffer of a worker and what it should contain. */
struct slot {
	struct pan_bo bo;
	__u64 seed;
	bool bound;
	bool written;
	bool private;
};

struct worker {
	struct pan_dev dev;
	struct pan_ctx ctx;
	struct slot slots[BOS];
	__u64 rand;
	const bool *over;
	__u64 steps;
};

FIXTURE(stress) {
	struct pan_env env;
	bool *over;	/* shared with all children */
	pid_t pids[WORKERS];
	__u64 seed;
};

static __u64 duration_ms(void)
{
	const char *soak = getenv("SOAK");
	__u64 minutes;

	return soak && !pan_parse_u64(soak, 10, &minutes) && minutes ? minutes * 60000 : DEFAULT_MS;
}

FIXTURE_SETUP(stress)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	self->seed = pan_rand(&self->env.rand);
	self->over = mmap(NULL, PAN_PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->over);
}

static bool is_over(const bool *over)
{
	return __atomic_load_n(over, __ATOMIC_ACQUIRE);
}

FIXTURE_TEARDOWN(stress)
{
	PAN_ENV_TEARDOWN(&self->env);
}

/*
 * Steps of a worker; each leaves its slot as the struct says
 */

static int slot_create(struct worker *w, struct slot *s)
{
	__u64 size = (1 + pan_rand(&w->rand) % MAX_PAGES) * PAN_PAGE_SIZE;

	s->private = pan_rand(&w->rand) & 1;
	s->bound = s->written = false;
	return pan_bo_create(&w->dev, size, 0, s->private ? &w->ctx.vm : NULL, &s->bo);
}

static int slot_bind(struct worker *w, struct slot *s)
{
	int ret;

	s->bo.va = pan_vm_alloc_va(&w->ctx.vm, s->bo.size, PAN_PAGE_SIZE);
	ret = pan_vm_map(&w->ctx.vm, &s->bo, 0, s->bo.va, s->bo.size, 0);
	s->bound = !ret;
	return ret;
}

static int slot_unbind(struct worker *w, struct slot *s)
{
	s->bound = false;
	return pan_vm_unmap(&w->ctx.vm, s->bo.va, s->bo.size);
}

/* A part is unmapped and put back; content doesn't mind. */
static int slot_rebind_part(struct worker *w, struct slot *s)
{
	__u64 pages = s->bo.size / PAN_PAGE_SIZE, first = pan_rand(&w->rand) % pages;
	__u64 count = 1 + pan_rand(&w->rand) % (pages - first);
	__u64 offset = first * PAN_PAGE_SIZE, size = count * PAN_PAGE_SIZE;
	int ret;

	ret = pan_vm_unmap(&w->ctx.vm, s->bo.va + offset, size);
	return ret ? ret : pan_vm_map(&w->ctx.vm, &s->bo, offset, s->bo.va + offset, size, 0);
}

static int slot_gpu_fill(struct worker *w, struct slot *s)
{
	s->seed = pan_rand(&w->rand);
	s->written = true;
	return pan_gpu_fill(&w->ctx, s->bo.va, s->bo.size, s->seed);
}

static int slot_gpu_verify(struct worker *w, struct slot *s)
{
	__u64 wrong = 0;
	int ret = pan_gpu_verify(&w->ctx, s->bo.va, s->bo.size, s->seed, &wrong);

	return ret ? ret : wrong ? -EILSEQ : 0;
}

static int slot_cpu_fill(struct worker *w, struct slot *s)
{
	int ret = pan_bo_mmap(&s->bo);

	if (ret)
		return ret;
	s->seed = pan_rand(&w->rand);
	s->written = true;
	pan_fill(s->bo.map, s->bo.size, s->seed);
	return pan_rand(&w->rand) & 1 ? pan_bo_munmap(&s->bo) : 0;
}

static int slot_cpu_verify(struct worker *w, struct slot *s)
{
	int ret = pan_bo_mmap(&s->bo);

	if (ret)
		return ret;
	if (pan_verify(s->bo.map, s->bo.size, s->seed))
		return -EILSEQ;
	return pan_rand(&w->rand) & 1 ? pan_bo_munmap(&s->bo) : 0;
}

static int slot_close(struct worker *w, struct slot *s)
{
	int ret = s->bound ? slot_unbind(w, s) : 0;

	return ret ? ret : pan_bo_close(&s->bo);
}

static int random_step(struct worker *w)
{
	struct slot *s = &w->slots[pan_rand(&w->rand) % BOS];
	unsigned int dice = pan_rand(&w->rand) % 16;

	if (!s->bo.dev)
		return slot_create(w, s);
	if (dice == 0)
		return slot_close(w, s);
	if (dice < 4)
		return s->written ? slot_cpu_verify(w, s) : slot_cpu_fill(w, s);
	if (dice == 4)
		return slot_cpu_fill(w, s);
	if (!s->bound)
		return slot_bind(w, s);
	if (dice == 5)
		return slot_unbind(w, s);
	if (dice < 8)
		return slot_rebind_part(w, s);
	return s->written && dice < 14 ? slot_gpu_verify(w, s) : slot_gpu_fill(w, s);
}

/* Out of memory is an answer, of which there's no harm: try something else. */
static int work(struct worker *w)
{
	int ret = 0;

	while ((!is_over(w->over) || w->steps <= MIN_STEPS) && (!ret || ret == -ENOMEM)) {
		ret = random_step(w);
		w->steps++;
	}
	return ret == -ENOMEM ? 0 : ret;
}

static int stop_working(struct worker *w)
{
	int i, ret = 0;

	for (i = 0; i < BOS && !ret; i++) {
		struct slot *s = &w->slots[i];

		if (s->bo.dev && s->written)
			ret = slot_cpu_verify(w, s);
		if (!ret && s->bo.dev)
			ret = slot_close(w, s);
	}
	return ret ? ret : pan_ctx_destroy(&w->ctx);
}

static int worker(struct pan_child *self)
{
	struct worker *w = self->arg;
	int ret;

	ret = pan_open(&w->dev);
	if (!ret)
		ret = pan_ctx_create(&w->dev, 1, &w->ctx);
	if (!ret)
		ret = work(w);
	pan_child_tell(self, w->steps);
	if (ret)
		printf("# worker: %d after %llu steps\n", ret, w->steps);
	fflush(stdout);
	if (!ret)
		ret = stop_working(w);
	return ret;
}

static int shrink_writer(struct pan_child *self)
{
	FIXTURE_DATA(stress) *test = self->arg;
	__u64 rand = test->seed;
	int ret = 0;

	while (!ret && !is_over(test->over)) {
		ret = pan_shrink(&test->env.dev, pan_rand(&rand) % 1024, NULL);
		usleep(pan_rand(&rand) % 20000);
	}
	return ret;
}

static int mem_reclaim_writer(struct pan_child *self)
{
	FIXTURE_DATA(stress) *test = self->arg;
	struct pan_dev dev;
	__u64 rand = pan_seed();
	int ret = pan_open(&dev);

	while ((!ret || ret == -EAGAIN || ret == -ESRCH) && !is_over(test->over)) {
		ret = pan_mem_reclaim_write(&dev, test->pids[pan_rand(&rand) % WORKERS]);
		usleep(pan_rand(&rand) % 20000);
	}
	return ret == -EAGAIN || ret == -ESRCH ? 0 : ret;
}

/*
 * Takes most of the memory, and lets go of it, again and again. That's not enough
 * for what was evicted to leave memory, where most of it would be found again.
 */
static int presser(struct pan_child *self)
{
	FIXTURE_DATA(stress) *test = self->arg;
	__u64 rand = test->seed + 1, total = 0;
	int ret = pan_meminfo("MemTotal", &total);
	pid_t pid;

	while (!ret && !is_over(test->over)) {
		ret = pan_pressure_start(total / 4 + pan_rand(&rand) % (total / 2), &pid);
		if (ret == -ENOMEM)
			ret = 0;
		else if (!ret)
			ret = pan_pressure_stop(pid);
		if (!ret)
			ret = pan_memory_reclaim(pan_rand(&rand) % (total / 16));
		if (ret == -EAGAIN)
			ret = 0;
		usleep(pan_rand(&rand) % 500000);
	}
	return ret;
}

static void expect_ends_well(struct __test_metadata *_metadata, struct pan_child *child,
			     const char *who)
{
	int result = 0;

	EXPECT_EQ(0, pan_child_wait(child, &result));
	EXPECT_EQ(0, result)
		TH_LOG("%s", who);
}

static bool did_enough(struct __test_metadata *_metadata, FIXTURE_DATA(stress) *self,
		       const struct pan_reclaim *before)
{
	struct pan_reclaim now;

	EXPECT_EQ(0, pan_reclaim_read(&self->env.dev, &now));
	return !__test_passed(_metadata) || (now.evictions > before->evictions + MIN_EVICTIONS &&
					     now.restores > before->restores + MIN_RESTORES);
}

TEST_F_TIMEOUT(stress, all_at_once, 100000)
{
	struct pan_child workers[WORKERS], shrink, reclaim, press;
	struct pan_reclaim before, after;
	struct worker w = { .over = self->over };
	__u64 end = pan_now_ms() + duration_ms();
	__s64 steps;
	int i;

	ASSERT_EQ(0, pan_reclaim_read(&self->env.dev, &before));
	for (i = 0; i < WORKERS; i++) {
		w.rand = self->seed + i;
		ASSERT_EQ(0, pan_child_start(&workers[i], worker, &w));
		self->pids[i] = workers[i].pid;
	}
	ASSERT_EQ(0, pan_child_start(&shrink, shrink_writer, self));
	ASSERT_EQ(0, pan_child_start(&reclaim, mem_reclaim_writer, self));
	ASSERT_EQ(0, pan_child_start(&press, presser, self));

	while (pan_now_ms() < end || !did_enough(_metadata, self, &before))
		usleep(100000);
	__atomic_store_n(self->over, true, __ATOMIC_RELEASE);
	for (i = 0; i < WORKERS; i++) {
		ASSERT_EQ(0, pan_child_hear(&workers[i], &steps));
		TH_LOG("worker %d: %lld steps", i, steps);
		EXPECT_LT(MIN_STEPS, steps);
	}
	for (i = 0; i < WORKERS; i++)
		expect_ends_well(_metadata, &workers[i], "worker");
	expect_ends_well(_metadata, &shrink, "shrink writer");
	expect_ends_well(_metadata, &reclaim, "mem_reclaim writer");
	expect_ends_well(_metadata, &press, "memory pressure");
	ASSERT_EQ(0, pan_reclaim_read(&self->env.dev, &after));
	TH_LOG("%llu evictions, %llu restores", after.evictions - before.evictions,
	       after.restores - before.restores);
	EXPECT_LT(before.evictions + MIN_EVICTIONS, after.evictions);
	EXPECT_LT(before.restores + MIN_RESTORES, after.restores);
	EXPECT_NOTHING_LEFT(&self->env.dev);
}

TEST_HARNESS_MAIN
