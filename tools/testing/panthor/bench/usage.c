// SPDX-License-Identifier: GPL-2.0
/*
 * Who has how much memory, and where it's swapped to.
 */
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <signal.h>

#include "bench.h"

#define DISK	"/dev/ubda"
#define ZRAM	"/dev/zram0"

static void swap_off(const char *device)
{
	if (swapoff(device) && errno != EINVAL)
		bench_fail(__FILE__, __LINE__, device, -errno);
}

/* Swap on a disk, or on compressed RAM only. The program's guest needs both. */
void swap_use(enum swap swap)
{
	const char *use = swap == DISK_SWAP ? DISK : ZRAM;

	swap_off(DISK);
	swap_off(ZRAM);
	if (swapon(use, 0))
		bench_fail(__FILE__, __LINE__, use, -errno);
}

const char *swap_name(enum swap swap)
{
	return swap == DISK_SWAP ? "disk" : "zram";
}

void usage_read(struct pan_dev *dev, struct usage *usage)
{
	__u64 pages;

	MUST(pan_reclaim_counter(dev, "evicted-pages", &pages));
	usage->evicted = pages * PAN_PAGE_SIZE;
	MUST(pan_reclaim_counter(dev, "restores", &usage->restores));
	MUST(pan_vmstat("pswpout", &pages));
	usage->written = pages * PAN_PAGE_SIZE;
	MUST(pan_vmstat("pswpin", &pages));
	usage->read = pages * PAN_PAGE_SIZE;
	MUST(pan_really_free(&usage->free));
	/* The device isn't there unless it's in use. */
	if (pan_zram_used(&usage->zram))
		usage->zram = 0;
}

/* Bytes of all evictions of what a process has created, those that came back included. */
__u64 usage_evicted_of(struct pan_dev *dev, pid_t pid)
{
	struct pan_gems gems;
	__u64 bytes = 0;
	size_t i;

	MUST(pan_gems_read(dev, &gems));
	for (i = 0; i < gems.count; i++)
		if (gems.gems[i].tgid == pid)
			bytes += gems.gems[i].evictions * gems.gems[i].size;
	pan_gems_free(&gems);
	return bytes;
}

/* Page cache would be taken first. */
void drop_page_cache(void)
{
	MUST(pan_write_file("/proc/sys/vm/drop_caches", "1"));
}

/* A process that has locked so much, until it's stopped. */
pid_t hog_memory(__u64 bytes)
{
	int fds[2];
	pid_t pid;
	char done;
	void *mem;

	MUST(pipe(fds) ? -errno : 0);
	pid = MUST(fork());
	if (pid) {
		close(fds[1]);
		MUST(read(fds[0], &done, 1) == 1 ? 0 : -ENOMEM);
		close(fds[0]);
		return pid;
	}
	MUST(pan_write_file("/proc/self/oom_score_adj", "-1000"));
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED || mlock(mem, bytes) || write(fds[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

void end_hog(pid_t pid)
{
	kill(pid, SIGKILL);
	MUST(waitpid(pid, NULL, 0));
}
