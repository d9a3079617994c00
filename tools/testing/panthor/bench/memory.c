// SPDX-License-Identifier: GPL-2.0
/*
 * Pages: making them, having them swapped out.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "bench.h"

/*
 * Write a word to each page through the kernel: a fault of user space is ten
 * times as dear on UML. The word is not zero, because swap has a shortcut for
 * pages of zeroes.
 */
void memory_touch(void *mem, __u64 bytes)
{
	static const __u64 words[IOV_MAX] = { [0 ... IOV_MAX - 1] = 0x5a5a1234 };
	static int source = -1;
	struct iovec iov[IOV_MAX];
	__u64 done = 0;
	int n;

	if (source < 0) {
		source = MUST(memfd_create("words", 0));
		MUST(write(source, words, sizeof(words)));
	}
	while (done < bytes) {
		for (n = 0; n < IOV_MAX && done < bytes; n++, done += PAN_PAGE_SIZE)
			iov[n] = (struct iovec) { (char *)mem + done, sizeof(__u64) };
		if (preadv(source, iov, n, 0) != n * (ssize_t)sizeof(__u64))
			bench_fail(__FILE__, __LINE__, "preadv", -errno);
	}
}

/* Pages of buffers, including those that were written to swap but not freed yet. */
static __u64 in_memory(void)
{
	__u64 shmem, cached;

	MUST(pan_meminfo("Shmem", &shmem));
	MUST(pan_meminfo("SwapCached", &cached));
	return (shmem + cached) / PAN_PAGE_SIZE;
}

/*
 * memory.reclaim decides by statistics that are up to two seconds old, and may
 * not find anything: reading them brings them up to date.
 */
static void update_statistics(void)
{
	char text[16384];

	MUST(pan_read_file("/sys/fs/cgroup/memory.stat", text, sizeof(text)));
}

/* What memory.reclaim gets without trying again and again: the rest is active. */
#define SWAP_OUT_SHARE		0.95
#define SWAP_OUT_ATTEMPTS	100

/*
 * Reclaim from the whole system until (nearly) so much was written to swap and
 * freed, in pages per microsecond. Page cache is left alone.
 */
double memory_swap_out(__u64 bytes)
{
	__u64 pages = bytes / PAN_PAGE_SIZE * SWAP_OUT_SHARE, before = in_memory(), done = 0, now;
	int attempt, ret;
	double start;
	char text[64];

	update_statistics();
	start = bench_start();
	for (attempt = 0; attempt < SWAP_OUT_ATTEMPTS; attempt++) {
		snprintf(text, sizeof(text), "%llu swappiness=200",
			 (pages - done) * PAN_PAGE_SIZE);
		ret = pan_write_file("/sys/fs/cgroup/memory.reclaim", text);
		if (ret != -EAGAIN)
			MUST(ret);
		now = in_memory();
		done = now < before ? before - now : 0;
		if (done >= pages)
			return done / bench_stop(start);
		update_statistics();
	}
	bench_fail(__FILE__, __LINE__, "memory.reclaim", -EAGAIN);
	return 0;
}

/*
 * Have the driver evict everything, and what it didn't free swapped out. On compressed
 * RAM there's nothing left to be done then.
 */
void memory_evict(struct pan_dev *dev, __u64 bytes)
{
	shrink(dev, EVERYTHING);
	if (in_memory() > bytes / PAN_PAGE_SIZE * (1 - SWAP_OUT_SHARE))
		memory_swap_out(bytes);
}

/* Have the driver evict so many pages, in microseconds. */
double shrink(struct pan_dev *dev, __u64 pages)
{
	char path[PATH_MAX], text[32];
	double us;
	int fd;

	snprintf(text, sizeof(text), "%llu", pages);
	MUST(pan_debugfs_path(dev, "shrink", path, sizeof(path)));
	fd = MUST(open(path, O_WRONLY));
	us = TIME_US(if (write(fd, text, strlen(text)) < 0)
			     bench_fail(__FILE__, __LINE__, "shrink", -errno));
	close(fd);
	return us;
}
