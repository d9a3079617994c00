// SPDX-License-Identifier: GPL-2.0
/*
 * E: reclaim beside a VM in which a job is running all the time: for those who
 * reclaim, for those who use another VM, and for the busy VM itself.
 *
 * needs: mem_reclaim
 * guest: --mem 512M
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "bench.h"

#define IDLE_BUFFERS	100
#define COLD		(16 * PAN_SZ_1M)
#define WAIT_LIMIT_US	30000	/* a wait that began is over by then */
#define MIN_FREE	"/proc/sys/vm/min_free_kbytes"
#define RESERVE		(16 * PAN_SZ_1M)	/* kswapd works below 5/4 of that */
#define TIGHT		(19 * PAN_SZ_1M)
#define MAX_STEPS	100
#define TRIES		50		/* of what the worst case is looked for */
#define TRACING		"/sys/kernel/tracing/"
#define TRACE_SIZE	(4 << 20)

static struct pan_dev dev;

/* A process that does something over and over. */
static pid_t start_loop(void (*what)(void))
{
	pid_t pid = MUST(fork());

	if (pid)
		return pid;
	for (;;)
		what();
}

static void stop_loop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/*
 * The scan of somebody else. It takes long only if there is a lot to scan, or
 * if it waits; what matters is what others get to feel of it.
 */
static void scan_everything(void)
{
	char path[PATH_MAX];

	MUST(pan_debugfs_path(&dev, "shrink", path, sizeof(path)));
	MUST(pan_write_u64(path, EVERYTHING));
}

static pid_t busy_process;

/* Waits for the busy VM, for as long as it is willing to. */
static void reclaim_busy_process(void)
{
	pan_mem_reclaim_write(&dev, busy_process);
}

static double evicted_pages(void)
{
	__u64 pages;

	MUST(pan_reclaim_counter(&dev, "evicted-pages", &pages));
	return pages;
}

/* Cold memory is not mapped: reclaim finds nobody who has used it. */
static double direct_reclaim_ms(void)
{
	int fd = MUST(memfd_create("cold", 0));
	double us;
	void *mem;

	MUST(ftruncate(fd, COLD));
	mem = mmap(NULL, COLD, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	MUST(mem == MAP_FAILED ? -errno : 0);
	memory_touch(mem, COLD);
	MUST(munmap(mem, COLD));
	us = COLD / PAN_PAGE_SIZE / memory_swap_out(COLD);
	close(fd);
	return us / 1e3;
}

/* Takes nothing, or the VM isn't busy, and all this is about something else. */
static void scan_alone(struct client *busy, __u32 n)
{
	double before;

	client_hold(busy);
	shrink(&dev, EVERYTHING);
	before = evicted_pages();
	bench_sample("ms", shrink(&dev, EVERYTHING) / 1e3, "E.scan.%u", n);
	MUST(evicted_pages() == before ? 0 : -EBUSY);
	client_release(busy);
}

/* With the busy VM there, and with nothing to evict anywhere. */
static void direct_reclaim(struct client *busy, __u32 n)
{
	__u64 i;

	client_hold(busy);
	bench_sample("ms", direct_reclaim_ms(), "E.direct-reclaim.%u", n);
	client_release(busy);
	client_settle(busy);
	shrink(&dev, EVERYTHING);
	/* What was evicted is clean by now: it would be freed in no time instead. */
	for (i = 0; i <= (__u64)n * PAN_SZ_64K / COLD; i++)
		direct_reclaim_ms();
	bench_sample("ms", direct_reclaim_ms(), "E.direct-reclaim-alone.%u", n);
}

/* The busy VM was used before the idle one, and is looked at first. */
static void hold_before_idle(struct client *busy, struct buffers *idle)
{
	client_hold(busy);
	client_release(busy);
	buffers_restore(idle);
	client_settle(idle->clients);
}

static void idle_behind(struct client *busy, struct buffers *idle, __u32 n, bool second)
{
	__u64 wanted = idle->count * idle->size / PAN_PAGE_SIZE;
	pid_t first = -1;
	double before, ms;

	buffers_restore(idle);
	client_settle(idle->clients);
	client_hold(busy);
	if (second)
		first = start_loop(reclaim_busy_process);
	usleep(1000);	/* it may wait by now, and may not: both is fine */
	before = evicted_pages();
	ms = shrink(&dev, wanted) / 1e3;
	bench_sample("pages/wanted", (evicted_pages() - before) / wanted,
		     second ? "E.second-reclaimer-gets.%u" : "E.idle-behind-gets.%u", n);
	bench_sample("ms", ms, second ? "E.second-reclaimer.%u" : "E.idle-behind.%u", n);
	if (second)
		stop_loop(first);
	client_release(busy);
}

/* The longest of many, begun at any point of the other's scan. */
static double worst_ms(struct client *busy, void (*what)(struct client *client))
{
	double us, worst = 0;
	__u64 rand = pan_seed();
	int i;

	for (i = 0; i < TRIES; i++) {
		usleep(pan_rand(&rand) % 1000);
		us = TIME_US(what(busy));
		worst = us > worst ? us : worst;
	}
	return worst / 1e3;
}

static int kswapd(void)
{
	char path[64], comm[32];
	int pid;

	for (pid = 2; pid < 1000; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		if (pan_read_file(path, comm, sizeof(comm)) > 0 && !strcmp(comm, "kswapd0\n"))
			return pid;
	}
	return -ESRCH;
}

/* From now on, kswapd's calls of shrinkers are noted. */
static void trace_kswapd(void)
{
	MUST(pan_write_file(TRACING "trace_clock", "mono"));
	MUST(pan_write_u64(TRACING "set_event_pid", MUST(kswapd())));
	MUST(pan_write_file(TRACING "trace", ""));
	MUST(pan_write_file(TRACING "events/vmscan/mm_shrink_slab_start/enable", "1"));
	MUST(pan_write_file(TRACING "events/vmscan/mm_shrink_slab_end/enable", "1"));
}

/* The longest call of the driver's shrinker, in seconds, negative if there was none. */
static double longest_call(char *text)
{
	double start = 0, now, longest = -1;
	char *line, *save = NULL, *what;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		what = strstr(line, ": mm_shrink_slab_");
		if (!what || !strstr(what, "panthor_gem_shrinker_scan"))
			continue;
		while (what > line && what[-1] != ' ')
			what--;
		now = strtod(what, NULL);
		if (strstr(what, "slab_start"))
			start = now;
		else if (start && now - start > longest)
			longest = now - start;
	}
	return longest;
}

static double traced_ms(void)
{
	static char text[TRACE_SIZE];

	MUST(pan_write_file(TRACING "events/vmscan/enable", "0"));
	MUST(pan_read_file(TRACING "trace", text, sizeof(text)));
	return longest_call(text) * 1e3;
}

static __u64 waits(void)
{
	__u64 count;

	MUST(pan_reclaim_counter(&dev, "waits", &count));
	return count;
}

/* Memory that can't be reclaimed. */
static void *lock_memory(__u64 bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);

	MUST(mem == MAP_FAILED ? -errno : 0);
	return mem;
}

/*
 * Use up memory until kswapd has waited for the busy VM. The reserve is enlarged,
 * so that kswapd has to work long before anybody is out of memory.
 */
static void run_out_of_memory(void)
{
	__u64 before = waits(), reserve, free, size[MAX_STEPS];
	void *mem[MAX_STEPS];
	int n = 0;

	MUST(pan_read_u64(MIN_FREE, &reserve));
	MUST(pan_write_u64(MIN_FREE, RESERVE >> 10));
	for (; waits() == before; usleep(WAIT_LIMIT_US)) {
		MUST(pan_meminfo("MemFree", &free));
		if (free <= TIGHT)
			continue;
		MUST(n < MAX_STEPS ? 0 : -ENOENT);
		size[n] = free - TIGHT;
		mem[n] = lock_memory(size[n]);
		n++;
	}
	MUST(pan_write_u64(MIN_FREE, reserve));
	while (n--)
		MUST(munmap(mem[n], size[n]));
}

static void kswapd_wait(struct client *busy, __u32 n)
{
	client_hold(busy);
	trace_kswapd();
	run_out_of_memory();
	bench_sample("ms", traced_ms(), "E.kswapd-wait.%u", n);
	client_release(busy);
}

static struct pan_bo extra;

static void bind_and_unbind(struct client *client)
{
	struct pan_vm *vm = &client->ctx.vm;

	MUST(pan_vm_map(vm, &extra, 0, extra.va, extra.size, 0));
	MUST(pan_vm_unmap(vm, extra.va, extra.size));
}

static void delays(struct client *busy, __u32 n)
{
	pid_t scanner;
	double alone;

	client_hold(busy);
	alone = worst_ms(busy, client_submit);
	client_release(busy);
	client_hold(busy);
	scanner = start_loop(scan_everything);
	bench_sample("ms", worst_ms(busy, client_submit) - alone, "E.submit-delay.%u", n);
	stop_loop(scanner);
	client_release(busy);

	client_hold(busy);
	alone = worst_ms(busy, bind_and_unbind);
	scanner = start_loop(scan_everything);
	bench_sample("ms", worst_ms(busy, bind_and_unbind) - alone, "E.bind-delay.%u", n);
	stop_loop(scanner);
	client_release(busy);
}

int main(void)
{
	static const __u32 counts[] = { 10, 100, 1000 };
	struct client busy, other;
	struct buffers buffers, idle;
	int round;
	size_t i;

	bench_open(&dev);
	busy_process = getpid();
	client_create(&dev, &busy);
	client_create(&dev, &other);
	client_on_slot(&busy);
	MUST(pan_bo_create_mapped(&busy.ctx.vm, PAN_SZ_64K, PAN_SZ_64K, true, &extra));
	MUST(pan_vm_unmap(&busy.ctx.vm, extra.va, extra.size));
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		buffers_create(&buffers, PRIVATE, &busy, PAN_SZ_64K, counts[i]);
		for (round = 0; round < ROUNDS; round++) {
			scan_alone(&busy, counts[i]);
			direct_reclaim(&busy, counts[i]);
			buffers_create(&idle, PRIVATE, &other, PAN_SZ_64K, IDLE_BUFFERS);
			hold_before_idle(&busy, &idle);
			idle_behind(&busy, &idle, counts[i], false);
			idle_behind(&busy, &idle, counts[i], true);
			buffers_destroy(&idle);
			delays(&busy, counts[i]);
			kswapd_wait(&busy, counts[i]);
		}
		buffers_check(&buffers);
		buffers_destroy(&buffers);
	}
	return 0;
}
