// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs mem_reclaim: who may reclaim whose memory, and what becomes of it. Bad input,
 * and exit and unbind meanwhile, are in mem_request. Case 17.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/swap.h>
#include <sys/time.h>

#include "mem_request.h"

#define BUSY_VMS	12

FIXTURE(mem_reclaim) {
	struct pan_env env;
	struct client client;
	char swap[256];
	bool swap_is_off;
};

FIXTURE_SETUP(mem_reclaim)
{
	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	ASSERT_EQ(0, pan_swap_device(self->swap, sizeof(self->swap)));
	self->client.seed = pan_rand(&self->env.rand);
}

FIXTURE_TEARDOWN(mem_reclaim)
{
	if (self->swap_is_off)
		EXPECT_EQ(0, swapon(self->swap, 0));
	EXPECT_EQ(0, pan_model_knob_set("pause", "0"));
	client_stop(&self->client);
	PAN_ENV_TEARDOWN(&self->env);
}

static __u64 evicted_pages(struct __test_metadata *_metadata, FIXTURE_DATA(mem_reclaim) *self)
{
	__u64 pages = 0;

	EXPECT_EQ(0, pan_reclaim_counter(&self->env.dev, "evicted-pages", &pages));
	return pages;
}

TEST_F(mem_reclaim, self)
{
	struct client *c = &self->client;

	ASSERT_EQ(0, client_start(c));
	ASSERT_EQ(0, pan_mem_reclaim_write(&c->dev, getpid()));
	expect_evictions(_metadata, &c->dev, getpid(), 1);
	EXPECT_EQ(0, client_verify(c));
	/* With nothing left to take, there's nothing to complain about either. */
	ASSERT_EQ(0, pan_mem_reclaim_write(&c->dev, getpid()));
	ASSERT_EQ(0, pan_mem_reclaim_write(&c->dev, getpid()));
	EXPECT_EQ(0, client_verify(c));
}

/* The content is on its way to swap, of each kind of buffer, without anybody asking. */
TEST_F(mem_reclaim, written_at_once)
{
	struct client *c = &self->client;
	__u64 before = 0;

	ASSERT_EQ(0, client_start(c));
	ASSERT_EQ(0, pan_vmstat("pswpout", &before));
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	EXPECT_EQ(0, wait_written(before + GPU_PAGES + CPU_PAGES + IDLE_PAGES));
	EXPECT_EQ(0, client_verify(c));
}

TEST_F(mem_reclaim, context_without_buffers)
{
	__u64 before = evicted_pages(_metadata, self);

	EXPECT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	EXPECT_EQ(before, evicted_pages(_metadata, self));
}

/* All contexts of the process, not just the first. */
TEST_F(mem_reclaim, several_contexts)
{
	struct client second = { .seed = self->client.seed + 1 };
	struct pan_bo bo;

	ASSERT_EQ(0, client_start(&self->client));
	ASSERT_EQ(0, pan_open(&second.dev));
	ASSERT_EQ(0, fill_by_cpu(&second.dev, 91, second.seed, &bo));
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	expect_evictions(_metadata, &self->env.dev, getpid(), 1);
	EXPECT_EVICTED(&bo, 1);
	EXPECT_CPU_SEES(&bo, second.seed);
	EXPECT_EQ(0, pan_bo_close(&bo));
	pan_close(&second.dev);
}

/* The memory of another process, and nobody else's: counters prove it. */
TEST_F(mem_reclaim, other)
{
	struct client mine = { .seed = self->client.seed + 1 };
	struct pan_child child;
	__u64 before;

	start_client(_metadata, &self->client, &child);
	ASSERT_EQ(0, client_start(&mine));
	before = evicted_pages(_metadata, self);
	ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, child.pid));
	expect_evictions(_metadata, &self->env.dev, child.pid, 1);
	expect_evictions(_metadata, &self->env.dev, getpid(), 0);
	EXPECT_EQ(before + GPU_PAGES + CPU_PAGES + IDLE_PAGES + PAN_CTX_PAGES,
		  evicted_pages(_metadata, self));
	verify_client(_metadata, &child);
	EXPECT_EQ(0, client_verify(&mine));
	stop_client(_metadata, &child);
	client_stop(&mine);
}

/* What another process can be using is left alone. */
TEST_F(mem_reclaim, shared_with_others)
{
	struct pan_dev *dev = &self->env.dev, other;
	struct pan_bo bo, theirs;
	int fd;

	ASSERT_EQ(0, pan_reopen(dev, &other));
	ASSERT_EQ(0, fill_by_cpu(dev, 93, self->client.seed, &bo));
	ASSERT_EQ(0, pan_bo_export(&bo, &fd));
	ASSERT_EQ(0, pan_bo_import(&other, fd, bo.size, &theirs));
	close(fd);
	EXPECT_EQ(0, pan_mem_reclaim_write(dev, getpid()));
	EXPECT_RESIDENT(&bo, 0);
	EXPECT_EQ(0, pan_bo_close(&theirs));
	EXPECT_EQ(0, pan_bo_close(&bo));
	pan_close(&other);
}

/* Tries itself, another process, nobody, and tells what it got. */
static int powerless(struct pan_child *self)
{
	FIXTURE_DATA(mem_reclaim) *test = self->arg;
	struct pan_dev dev;
	struct pan_bo bo;
	__s64 pid = 1;
	int ret;

	ret = pan_open(&dev);
	if (!ret)
		ret = fill_by_cpu(&dev, 95, 1, &bo);
	if (!ret)
		ret = drop_capability(CAP_SYS_RESOURCE);
	while (!ret && pid) {
		ret = pan_child_hear(self, &pid);
		if (!ret && pid)
			ret = pan_child_tell(self, pan_mem_reclaim_write(&test->env.dev,
									pid < 0 ? getpid() : pid));
	}
	return ret;
}

TEST_F(mem_reclaim, without_capability)
{
	struct { __s64 pid, answer; } asked[] = {
		{ -1, 0 }, { getpid(), -EPERM }, { nobody(_metadata), -EPERM }, { 1, -EPERM },
	};
	struct pan_child child;
	struct pan_gem gem;
	__s64 answer;
	size_t i;
	int result;

	ASSERT_EQ(0, client_start(&self->client));
	ASSERT_EQ(0, pan_child_start(&child, powerless, self));
	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		ASSERT_EQ(0, pan_child_tell(&child, asked[i].pid));
		ASSERT_EQ(0, pan_child_hear(&child, &answer));
		EXPECT_EQ(asked[i].answer, answer)
			TH_LOG("for %lld", asked[i].pid);
	}
	ASSERT_EQ(0, pan_gems_find(&self->env.dev, child.pid, 95 * PAN_PAGE_SIZE, &gem));
	EXPECT_EQ(1, gem.evictions);
	expect_evictions(_metadata, &self->env.dev, getpid(), 0);
	ASSERT_EQ(0, pan_child_tell(&child, 0));
	ASSERT_EQ(0, pan_child_wait(&child, &result));
	EXPECT_EQ(0, result);
}

struct thread {
	pthread_mutex_t lock;
	pid_t tid;
	FIXTURE_DATA(mem_reclaim) *test;
	int start;
};

/* Uses the GPU itself, so that it would be found if threads had contexts. */
static void *second_thread(void *arg)
{
	struct thread *thread = arg;

	thread->start = client_start(&thread->test->client);
	__atomic_store_n(&thread->tid, gettid(), __ATOMIC_RELEASE);
	pthread_mutex_lock(&thread->lock);
	return NULL;
}

static int thread_is_there(void *arg)
{
	struct thread *thread = arg;

	return __atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE) != 0;
}

TEST_F(mem_reclaim, thread_id)
{
	struct thread thread = { .test = self };
	pthread_t id;

	pthread_mutex_init(&thread.lock, NULL);
	pthread_mutex_lock(&thread.lock);
	ASSERT_EQ(0, pthread_create(&id, NULL, second_thread, &thread));
	ASSERT_EQ(0, pan_poll(thread_is_there, &thread, PAN_DEADLINE_MS));
	ASSERT_EQ(0, thread.start);
	EXPECT_EQ(-ESRCH, pan_mem_reclaim_write(&self->env.dev, thread.tid));
	expect_evictions(_metadata, &self->env.dev, getpid(), 0);
	/* The process is responsible for what its threads have. */
	EXPECT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	expect_evictions(_metadata, &self->env.dev, getpid(), 1);
	pthread_mutex_unlock(&thread.lock);
	pthread_join(id, NULL);
}

/* Process 1 of a namespace. What it's called outside isn't anything in there. */
static int in_namespace(struct pan_child *self)
{
	struct client *c = self->arg;
	__s64 outside = 0;
	int ret;

	if (getpid() != 1)
		return -EPROTO;
	ret = client_start(c);
	if (!ret)
		ret = pan_child_hear(self, &outside);
	if (!ret)
		ret = pan_child_tell(self, pan_mem_reclaim_write(&c->dev, outside));
	if (!ret)
		ret = pan_child_hear(self, &outside);
	if (!ret)
		ret = pan_child_tell(self, pan_mem_reclaim_write(&c->dev, 1));
	if (!ret)
		ret = pan_child_meet(self);
	return ret ? ret : client_verify(c);
}

TEST_F(mem_reclaim, pid_namespace)
{
	struct namespace_part inside = { in_namespace, &self->client };
	struct client mine = { .seed = self->client.seed + 1 };
	__s64 pid = 0, answer = 0;
	struct pan_child child;
	int result = 0;

	ASSERT_EQ(0, pan_child_start(&child, namespace_process, &inside));
	ASSERT_EQ(0, pan_child_hear(&child, &pid));
	ASSERT_EQ(0, client_start(&mine));

	/* It asks for us, by the number that we have outside. */
	ASSERT_EQ(0, pan_child_tell(&child, getpid()));
	ASSERT_EQ(0, pan_child_hear(&child, &answer));
	EXPECT_EQ(-ESRCH, answer);
	expect_evictions(_metadata, &self->env.dev, getpid(), 0);

	/* It asks for 1, which is itself. Its number in gems is that of outside. */
	ASSERT_EQ(0, pan_child_tell(&child, 0));
	ASSERT_EQ(0, pan_child_hear(&child, &answer));
	EXPECT_EQ(0, answer);
	expect_evictions(_metadata, &self->env.dev, pid, 1);
	expect_evictions(_metadata, &self->env.dev, getpid(), 0);

	/* We can ask for it. */
	EXPECT_EQ(0, pan_mem_reclaim_write(&self->env.dev, pid));
	ASSERT_EQ(0, pan_child_tell(&child, 0));
	ASSERT_EQ(0, pan_child_hear(&child, &answer));
	ASSERT_EQ(0, pan_child_tell(&child, -1));
	ASSERT_EQ(0, pan_child_wait(&child, &result));
	EXPECT_EQ(0, result);
	client_stop(&mine);
}

TEST_F(mem_reclaim, no_swap)
{
	ASSERT_EQ(0, client_start(&self->client));
	ASSERT_EQ(0, swapoff(self->swap));
	self->swap_is_off = true;
	EXPECT_EQ(-EOPNOTSUPP, pan_mem_reclaim_write(&self->env.dev, getpid()));
	EXPECT_EQ(-ESRCH, pan_mem_reclaim_write(&self->env.dev, nobody(_metadata)));
	expect_evictions(_metadata, &self->env.dev, getpid(), 0);
	ASSERT_EQ(0, swapon(self->swap, 0));
	self->swap_is_off = false;
	EXPECT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	expect_evictions(_metadata, &self->env.dev, getpid(), 1);
}

/* There's something, all of it is in use, and nobody waits for long. */
TEST_F(mem_reclaim, everything_busy)
{
	struct client *c = &self->client;

	ASSERT_EQ(0, client_start(c));
	ASSERT_EQ(0, pan_mem_reclaim_write(&c->dev, getpid()));
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	ASSERT_EQ(0, start_held_job(&c->ctx));
	EXPECT_EQ(-EAGAIN, pan_mem_reclaim_write(&c->dev, getpid()));
	/* It was done before the driver gave up on the job. */
	EXPECT_EQ(-EBUSY, pan_sync_result(&c->dev, c->ctx.sync));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	ASSERT_EQ(0, pan_ctx_wait(&c->ctx, PAN_DEADLINE_MS));
	EXPECT_EQ(0, pan_mem_reclaim_write(&c->dev, getpid()));
	EXPECT_EQ(0, client_verify(c));
}

static int interrupt_step(void *arg)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 15000 } };
	FIXTURE_DATA(mem_reclaim) *test = arg;
	int ret;

	setitimer(ITIMER_REAL, &soon, NULL);
	ret = pan_mem_reclaim_write(&test->env.dev, getpid());
	if (ret == -EINTR)
		return 1;
	return ret && ret != -EAGAIN ? ret : 0;
}

/* Each VM is waited for in turn; a signal ends that, whatever is done then. */
TEST_F(mem_reclaim, interrupted)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	struct pan_ctx vms[BUSY_VMS];
	struct writing writing = { .count = 1 };
	struct pan_child busy;
	int i;

	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	for (i = 0; i < BUSY_VMS; i++) {
		ASSERT_EQ(0, pan_ctx_create(&self->env.dev, 1, &vms[i]));
		ASSERT_EQ(0, start_held_job(&vms[i]));
	}
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	EXPECT_EQ(0, pan_poll(interrupt_step, self, PAN_DEADLINE_MS));

	/* Killed, it doesn't hold on to anything either. */
	pan_mem_reclaim_path(&self->env.dev, writing.paths[0], sizeof(writing.paths[0]));
	start_writer(_metadata, &writing, getpid(), &busy);
	usleep(30000);
	ASSERT_EQ(0, pan_child_kill(&busy, SIGKILL));
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	for (i = 0; i < BUSY_VMS; i++) {
		EXPECT_EQ(0, pan_ctx_wait(&vms[i], PAN_DEADLINE_MS));
		EXPECT_EQ(0, pan_ctx_destroy(&vms[i]));
	}
}

TEST_HARNESS_MAIN
