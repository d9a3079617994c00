// SPDX-License-Identifier: GPL-2.0
/*
 * What sysfs mem_reclaim and mem_claim have in common: bad input, and what happens to
 * those who ask, and to those they ask for, meanwhile.
 */
#include "mem_request.h"

#define ROUNDS		20

FIXTURE(mem_request) {
	struct pan_env env;
	struct client client;
	char path[PATH_MAX + 16];
	struct writing writing;
};

FIXTURE_VARIANT(mem_request) {
	void (*path)(struct pan_dev *dev, char *path, size_t len);
	int (*write)(struct pan_dev *dev, int tgid);
	bool claim;
};

FIXTURE_VARIANT_ADD(mem_request, reclaim) {
	.path = pan_mem_reclaim_path,
	.write = pan_mem_reclaim_write,
};

/* Of what's being reclaimed all the time. */
FIXTURE_VARIANT_ADD(mem_request, claim) {
	.path = pan_mem_claim_path,
	.write = pan_mem_claim_write,
	.claim = true,
};

FIXTURE_SETUP(mem_request)
{
	struct writing *writing = &self->writing;
	const size_t len = sizeof(self->path);

	PAN_ENV_SETUP(&self->env);
	EVICT_REQUIRE(&self->env);
	variant->path(&self->env.dev, self->path, len);
	ASSERT_EQ(0, access(self->path, F_OK));
	self->client.seed = pan_rand(&self->env.rand);
	pan_mem_reclaim_path(&self->env.dev, writing->paths[writing->count++], len);
	if (variant->claim)
		strcpy(writing->paths[writing->count++], self->path);
}

FIXTURE_TEARDOWN(mem_request)
{
	client_stop(&self->client);
	PAN_ENV_TEARDOWN(&self->env);
}

/* Pages that were evicted, and that came back. Without debugfs reclaim, only the former. */
static __u64 moved_pages(struct __test_metadata *_metadata, FIXTURE_DATA(mem_request) *self)
{
	struct pan_dev *dev = &self->env.dev;
	__u64 evicted = 0, restored = 0;

	EXPECT_EQ(0, pan_reclaim_counter(dev, "evicted-pages", &evicted));
	if (pan_has_reclaim(dev))
		EXPECT_EQ(0, pan_reclaim_counter(dev, "restored-pages", &restored));
	return evicted + restored;
}

TEST_F(mem_request, bad_input)
{
	static const struct { char text[24]; int answer; } inputs[] = {
		{ "\n", -EINVAL }, { " ", -EINVAL }, { "0", -EINVAL }, { "0\n", -EINVAL },
		{ "-1", -EINVAL }, { "-", -EINVAL }, { "one", -EINVAL }, { "0x10", -EINVAL },
		{ "1x", -EINVAL }, { "1 2", -EINVAL }, { "1\n2", -EINVAL }, { "1\n\n", -EINVAL },
		{ " 1", -EINVAL }, { "1 ", -EINVAL }, { "1.0", -EINVAL }, { "1,2", -EINVAL },
		{ "\x80", -EINVAL }, { "%d", -EINVAL },
		{ "-2147483648", -EINVAL }, { "-2147483649", -ERANGE },
		{ "2147483648", -ERANGE }, { "4294967297", -ERANGE },
		{ "18446744073709551617", -ERANGE },
	};
	__u64 before;
	size_t i;

	ASSERT_EQ(0, client_start(&self->client));
	if (variant->claim)
		ASSERT_EQ(0, pan_mem_reclaim_write(&self->env.dev, getpid()));
	before = moved_pages(_metadata, self);
	for (i = 0; i < ARRAY_SIZE(inputs); i++)
		EXPECT_EQ(inputs[i].answer, pan_write_file(self->path, inputs[i].text))
			TH_LOG("for '%s'", inputs[i].text);
	EXPECT_EQ(-ESRCH, pan_write_file(self->path, "2147483647"));
	EXPECT_EQ(before, moved_pages(_metadata, self));
	EXPECT_EQ(-EACCES, open(self->path, O_RDONLY) < 0 ? -errno : 0);
}

/* More than a page, all digits, no end of string anywhere. */
TEST_F(mem_request, huge_input)
{
	const size_t sizes[] = { 64, 4095, 4096, 4097, 1 << 20 };
	char *text = malloc(1 << 20);
	size_t i;
	int fd;

	ASSERT_NE(NULL, text);
	memset(text, '7', 1 << 20);
	fd = open(self->path, O_WRONLY);
	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(-1, write(fd, text, sizes[i]));
		EXPECT_EQ(ERANGE, errno);
	}
	/* Nothing is nothing, and a bad address is the writer's problem. */
	EXPECT_EQ(0, write(fd, text, 0));
	EXPECT_EQ(-1, syscall(SYS_write, fd, 8L, 3L));
	EXPECT_EQ(EFAULT, errno);
	close(fd);
	free(text);
}

static int no_panthor(struct pan_child *self)
{
	int ret = pan_child_meet(self);

	return ret ? ret : pan_child_meet(self);
}

TEST_F(mem_request, nobody_there)
{
	struct pan_child child;
	int result;

	EXPECT_EQ(-ESRCH, variant->write(&self->env.dev, nobody(_metadata)));
	/* before this process opens more: children inherit files */
	ASSERT_EQ(0, pan_child_start(&child, no_panthor, NULL));
	ASSERT_EQ(0, pan_child_meet(&child));
	EXPECT_EQ(-ESRCH, variant->write(&self->env.dev, child.pid));
	ASSERT_EQ(0, pan_child_meet(&child));
	ASSERT_EQ(0, pan_child_wait(&child, &result));
	EXPECT_EQ(0, result);
}

TEST_F(mem_request, two_writers)
{
	struct pan_child target, writers[2];
	__u64 end = pan_now_ms() + PAN_DEADLINE_MS;
	struct pan_gem gem = {};
	int i;

	start_client(_metadata, &self->client, &target);
	for (i = 0; i < 2; i++)
		start_writer(_metadata, &self->writing, target.pid, &writers[i]);
	/* How often it's there to be evicted depends on whose turn it is. */
	while (gem.evictions < ROUNDS) {
		verify_client(_metadata, &target);
		ASSERT_EQ(0, pan_gems_find(&self->env.dev, target.pid,
					   CPU_PAGES * PAN_PAGE_SIZE, &gem));
		ASSERT_GT(end, pan_now_ms());
	}
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pan_child_kill(&writers[i], SIGKILL));
	verify_client(_metadata, &target);
	stop_client(_metadata, &target);
}

/* The target goes away in the middle of it, with a bang or by itself. */
TEST_F(mem_request, during_exit)
{
	struct pan_child target, busy;
	int i, result;

	for (i = 0; i < 6; i++) {
		start_client(_metadata, &self->client, &target);
		start_writer(_metadata, &self->writing, target.pid, &busy);
		verify_client(_metadata, &target);
		usleep(pan_rand(&self->env.rand) % 5000);
		if (i & 1) {
			ASSERT_EQ(0, pan_child_kill(&target, SIGKILL));
		} else {
			stop_client(_metadata, &target);
		}
		ASSERT_EQ(0, pan_child_wait(&busy, &result));
		/* A process whose files are closed already is one without panthor. */
		EXPECT_TRUE(result == 0 || result == -ESRCH)
			TH_LOG("result %d", result);
		EXPECT_NOTHING_LEFT(&self->env.dev);
	}
}

TEST_F(mem_request, during_unbind)
{
	char device[256];
	struct pan_child busy;
	int result = 0;

	snprintf(device, sizeof(device), "%s", pan_device_name(&self->env.dev));
	ASSERT_EQ(0, client_start(&self->client));
	start_writer(_metadata, &self->writing, getpid(), &busy);
	ASSERT_EQ(0, client_verify(&self->client));
	ASSERT_EQ(0, pan_driver_unbind(device));
	ASSERT_EQ(0, pan_child_wait(&busy, &result));
	EXPECT_EQ(-ENODEV, result);
	EXPECT_EQ(-ENOENT, variant->write(&self->env.dev, getpid()));
	EXPECT_EQ(0, pan_verify(self->client.cpu.map, self->client.cpu.size, self->client.seed));
	pan_close(&self->env.dev);
	client_stop(&self->client);
	ASSERT_EQ(0, pan_driver_bind(device));
	ASSERT_EQ(0, pan_open(&self->env.dev));
	EXPECT_EQ(0, variant->write(&self->env.dev, getpid()));
}

TEST_HARNESS_MAIN
