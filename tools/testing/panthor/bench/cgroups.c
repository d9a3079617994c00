// SPDX-License-Identifier: GPL-2.0
/*
 * I: what H measures, for a memory cgroup: memory.reclaim takes from that cgroup and
 * nobody else, memory.high and memory.max are met by evicting what's idle in it.
 *
 * needs: debugfs "reclaim"
 * guest: --mem 768M --swap 1G
 * boots: 2
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench.h"
#include "pan_child.h"

#define CGROUP		"/sys/fs/cgroup/bench"
#define VMS		4
#define TOTAL		(128 * PAN_SZ_1M)
#define BELOW		(64 * PAN_SZ_1M)
#define HIGH_LIMIT_MS	5000

#define LARGE		(4 * PAN_SZ_1M)
#define LARGE_COUNT	12	/* of each VM: 192 MiB in all */
#define TURNS		3

enum { STOP, COME_BACK, WORK };

/* What a process in the cgroup has, and somebody outside of it, too. */
struct idle {
	struct client clients[VMS];
	struct buffers buffers[VMS];
};

static void idle_start(struct pan_dev *dev, struct idle *idle, __u64 size, __u64 count)
{
	int i;

	for (i = 0; i < VMS; i++) {
		client_create(dev, &idle->clients[i]);
		buffers_create(&idle->buffers[i], PRIVATE, &idle->clients[i], size, count);
	}
}

static void idle_come_back(struct idle *idle)
{
	int i;

	for (i = 0; i < VMS; i++)
		buffers_restore(&idle->buffers[i]);
}

static void idle_stop(struct idle *idle)
{
	int i;

	for (i = 0; i < VMS; i++) {
		buffers_check(&idle->buffers[i]);
		buffers_destroy(&idle->buffers[i]);
		client_destroy(&idle->clients[i]);
	}
}

/* Each VM is used in turn, all of it. */
static __s64 work_us(struct idle *idle)
{
	double start = bench_now_us();
	int turn, i;

	for (turn = 0; turn < TURNS; turn++) {
		for (i = 0; i < VMS; i++)
			buffers_check(&idle->buffers[i]);
	}
	return bench_now_us() - start;
}

struct part {
	__u64 size;
	__u64 count;
};

/* The process in the cgroup. Tells how long its work took. */
static int play(struct pan_child *self)
{
	const struct part *part = self->arg;
	struct idle idle;
	struct pan_dev dev;
	__s64 what = COME_BACK, us;

	MUST(pan_write_file(CGROUP "/cgroup.procs", "0"));
	MUST(pan_write_file("/proc/self/oom_score_adj", "-1000"));
	MUST(mlockall(MCL_CURRENT) ? -errno : 0);
	MUST(pan_open(&dev));
	idle_start(&dev, &idle, part->size, part->count);
	while (what != STOP) {
		us = what == WORK ? work_us(&idle) : 0;
		if (what == COME_BACK)
			idle_come_back(&idle);
		MUST(pan_child_tell(self, us));
		MUST(pan_child_hear(self, &what));
	}
	idle_stop(&idle);
	pan_close(&dev);
	return 0;
}

static double have_child(struct pan_child *child, __s64 what)
{
	__s64 us;

	MUST(pan_child_tell(child, what));
	MUST(pan_child_hear(child, &us));
	return us;
}

static void start_child(struct pan_child *child, struct part *part, const char *max)
{
	__s64 us;

	MUST(mkdir(CGROUP, 0755) ? -errno : 0);
	MUST(pan_write_file(CGROUP "/memory.max", max));
	MUST(pan_child_start(child, play, part));
	MUST(pan_child_hear(child, &us));
}

static int remove_cgroup(void *arg)
{
	(void)arg;
	if (!rmdir(CGROUP))
		return 1;
	return errno == EBUSY ? 0 : -errno;
}

static void stop_child(struct pan_child *child)
{
	int result;

	MUST(pan_child_tell(child, STOP));
	MUST(pan_child_wait(child, &result));
	MUST(result);
	MUST(pan_poll(remove_cgroup, NULL, PAN_DEADLINE_MS));
}

static __u64 cgroup_value(const char *file, const char *key)
{
	char path[64], text[4096], *value = text;

	snprintf(path, sizeof(path), CGROUP "/%s", file);
	MUST(pan_read_file(path, text, sizeof(text)));
	if (key) {
		/* At the beginning of a line: oom and oom_kill are two things. */
		value = strstr(text, key);
		MUST(value ? 0 : -EPROTO);
		value += strlen(key);
	}
	return strtoull(value, NULL, 10);
}

static double share(__u64 bytes, __u64 asked, __u64 size)
{
	return bytes > size ? (double)(bytes - size) / asked : 0;
}

static void ask_for(struct pan_dev *dev, struct pan_child *child, enum swap swap, __u64 size,
		    __u64 bytes)
{
	__u64 theirs = usage_evicted_of(dev, child->pid), ours = usage_evicted_of(dev, getpid());
	struct usage before, after;
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "%s.%s.%lluM", swap_name(swap), bench_size_name(size),
		 bytes / PAN_SZ_1M);
	usage_read(dev, &before);
	ret = pan_write_u64(CGROUP "/memory.reclaim", bytes);
	usage_read(dev, &after);
	bench_sample("answered", !ret, "I.answered.%s", name);
	bench_sample("evicted/asked",
		     share(usage_evicted_of(dev, child->pid) - theirs, bytes, size),
		     "I.evicted.%s", name);
	bench_sample("written/asked", share(after.written - before.written, bytes, size),
		     "I.written.%s", name);
	bench_sample("MiB", (double)(usage_evicted_of(dev, getpid()) - ours) / PAN_SZ_1M,
		     "I.elsewhere.%s", name);
	have_child(child, COME_BACK);
}

static void set_high(enum swap swap, __u64 size)
{
	__u64 high = cgroup_value("memory.current", NULL) - BELOW;
	double start = bench_now_us(), ms;
	__u64 current;

	MUST(pan_write_u64(CGROUP "/memory.high", high));
	do {
		current = cgroup_value("memory.current", NULL);
		ms = (bench_now_us() - start) / 1e3;
	} while (current > high && ms < HIGH_LIMIT_MS);
	bench_sample("ms", ms, "I.high.%s.%s", swap_name(swap), bench_size_name(size));
	bench_sample("MiB-above", current > high ? (double)(current - high) / PAN_SZ_1M : 0,
		     "I.high-above.%s.%s", swap_name(swap), bench_size_name(size));
	MUST(pan_write_file(CGROUP "/memory.high", "max"));
}

static void reclaim(struct pan_dev *dev, enum swap swap, __u64 size)
{
	static const __u64 asked[] = { 4, 16, 32, 64 };
	struct part part = { size, TOTAL / VMS / size };
	struct pan_child child;
	struct idle ours;
	size_t s;

	idle_start(dev, &ours, size, TOTAL / VMS / size);
	start_child(&child, &part, "max");
	for (s = 0; s < ARRAY_SIZE(asked); s++)
		ask_for(dev, &child, swap, size, asked[s] * PAN_SZ_1M);
	set_high(swap, size);
	stop_child(&child);
	idle_stop(&ours);
}

/* What it takes to write a page to swap, and to read it, as the memory manager does it. */
static void price(double *write_us, double *read_us)
{
	void *mem = mmap(NULL, BELOW, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	__u64 pages = BELOW / PAN_PAGE_SIZE;

	MUST(mem == MAP_FAILED ? -errno : 0);
	memory_touch(mem, BELOW);
	*write_us = TIME_US(MUST(madvise(mem, BELOW, MADV_PAGEOUT))) / pages;
	*read_us = TIME_US(memory_touch(mem, BELOW)) / pages;
	MUST(munmap(mem, BELOW));
}

/* The same work, without a limit, and with one that a third of it doesn't fit in. */
static void limit(struct pan_dev *dev, enum swap swap)
{
	struct part part = { LARGE, LARGE_COUNT };
	double without, with, write_us, read_us;
	struct usage before, after;
	struct pan_child child;
	__u64 events;

	price(&write_us, &read_us);
	start_child(&child, &part, "max");
	without = have_child(&child, WORK);
	stop_child(&child);
	start_child(&child, &part, "128M");
	events = cgroup_value("memory.events", "\nmax ");
	usage_read(dev, &before);
	with = have_child(&child, WORK);
	usage_read(dev, &after);
	events = cgroup_value("memory.events", "\nmax ") - events;
	stop_child(&child);

	with -= (after.written - before.written) / PAN_PAGE_SIZE * write_us;
	with -= (after.read - before.read) / PAN_PAGE_SIZE * read_us;
	bench_sample("limited/unlimited", with / without, "I.max.time.%s", swap_name(swap));
	bench_sample("events", events, "I.max.events.%s", swap_name(swap));
}

int main(void)
{
	static const __u64 sizes[] = { PAN_SZ_64K, LARGE };
	struct pan_dev dev;
	enum swap swap;
	size_t i;

	bench_open(&dev);
	MUST(pan_write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory"));
	for (swap = ZRAM_SWAP; swap <= DISK_SWAP; swap++) {
		swap_use(swap);
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			reclaim(&dev, swap, sizes[i]);
		limit(&dev, swap);
	}
	pan_close(&dev);
	return 0;
}
