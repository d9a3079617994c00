// SPDX-License-Identifier: GPL-2.0
/*
 * Submissions while others take all the memory, and are killed for it. What fits in
 * the machine doesn't fail, whatever goes on: Mesa takes a refused submission for a lost
 * device.
 *
 * guest: --mem 256M
 */
#include <signal.h>
#include <sys/wait.h>

#include "limits.h"
#include "pan_child.h"

#define BUFFERS		24
#define BUFFER		(2 * MIB)
#define KILLS		12

FIXTURE(limits_kills) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bos[BUFFERS];
	__u64 total;
	char reserves[32];
};

/*
 * UML's disk allocates memory for each request, of what's left for those who can't wait.
 * There's nothing left if it comes to that, as those who are killed and those who swap
 * may take all of it, and then nothing is read or written any more: everybody waits for
 * ever. Other disks have their own.
 */
#define MIN_FREE_KBYTES	"/proc/sys/vm/min_free_kbytes"

FIXTURE_SETUP(limits_kills)
{
	EVICT_SETUP(self);
	ASSERT_LE(0, pan_read_file(MIN_FREE_KBYTES, self->reserves, sizeof(self->reserves)));
	ASSERT_EQ(0, pan_write_file(MIN_FREE_KBYTES, "8192"));
	ASSERT_EQ(0, pan_meminfo("MemTotal", &self->total));
	ASSERT_EQ(0, limits_survive());
}

FIXTURE_TEARDOWN(limits_kills)
{
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(0, pan_write_file(MIN_FREE_KBYTES, self->reserves));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* --- processes that lock what they can get, until they are killed for it */

static int lock_everything(struct pan_child *self)
{
	const __u64 *total = self->arg;
	__u64 locked;

	pan_write_file("/proc/self/oom_score_adj", "1000");
	for (locked = 0; locked < *total && !limits_lock_memory(MIB); locked += MIB)
		;
	pause();
	return 0;
}

struct lockers {
	struct pan_child child[2];
	__u64 killed;
};

static int lockers_start(struct lockers *l, int i, __u64 *total)
{
	return pan_child_start(&l->child[i], lock_everything, total);
}

/* Whoever was killed is replaced. */
static int lockers_renew(struct lockers *l, __u64 *total)
{
	int i, ret = 0, status;

	for (i = 0; !ret && i < 2; i++) {
		if (waitpid(l->child[i].pid, &status, WNOHANG) != l->child[i].pid)
			continue;
		close(l->child[i].fd);
		l->killed++;
		ret = lockers_start(l, i, total);
	}
	return ret;
}

static void lockers_stop(struct lockers *l)
{
	int i;

	for (i = 0; i < 2; i++)
		pan_child_kill(&l->child[i], SIGKILL);
}

/* Each job does what it should, though others take all the memory again and again. */
TEST_F_TIMEOUT(limits_kills, others_are_killed, 600)
{
	__u64 end = pan_now_ms() + 5 * PAN_DEADLINE_MS, wrong;
	struct lockers lockers = {};
	int i, ret, jobs = 0, refused = 0;

	ASSERT_EQ(0, limits_fill(&self->ctx, self->bos, BUFFERS, BUFFER));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, lockers_start(&lockers, i, &self->total));

	while (lockers.killed < KILLS && pan_now_ms() < end) {
		i = jobs++ % BUFFERS;
		wrong = ~0ULL;
		ret = pan_gpu_verify(&self->ctx, self->bos[i].va, BUFFER, i + 1, &wrong);
		refused += ret == -ENOMEM;
		ASSERT_EQ(0, ret == -ENOMEM ? 0 : ret);
		if (!ret)
			ASSERT_EQ(0, wrong);
		ASSERT_EQ(0, lockers_renew(&lockers, &self->total));
	}
	lockers_stop(&lockers);
	TH_LOG("%d jobs, %llu processes killed", jobs, lockers.killed);
	EXPECT_EQ(0, refused);
	/* How many there are by then depends on the host. */
	EXPECT_NE(0, lockers.killed);
	EXPECT_NE(0, EVICTIONS(&self->env.dev));
	for (i = 0; i < BUFFERS; i++)
		EXPECT_GPU_SEES(&self->ctx, self->bos[i].va, BUFFER, i + 1);
}

TEST_HARNESS_MAIN
