// SPDX-License-Identifier: GPL-2.0
/*
 * B: eviction alone, and with what follows it: everything in swap. The
 * yardstick is MADV_PAGEOUT of as much shared memory.
 *
 * guest: --mem 768M
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include "bench.h"

#define TOTAL		(128 * PAN_SZ_1M)
#define PAGES		(TOTAL / PAN_GPU_PAGE_SIZE)

static const char * const kinds[] = {
	[PRIVATE] = "private", [SHARED] = "shared", [MMAPPED] = "mmapped",
};

static void *shmem;

static void page_out_shmem(const struct buffers *b)
{
	double us;

	memory_touch(shmem, TOTAL);
	bench_wait_quiet();
	us = TIME_US(MUST(madvise(shmem, TOTAL, MADV_PAGEOUT)));
	bench_sample("Mpages/s", PAGES / us, "B.pageout.%s.%s", kinds[b->kind],
		     bench_size_name(b->size));
}

static void set_power(struct buffers *b, bool awake)
{
	int i;

	buffers_restore(b);
	for (i = 0; i < 2; i++)
		client_on_slot(&b->clients[i]);
	if (!awake)
		gpu_suspend(b->clients->ctx.dev);
}

static void evict(struct buffers *b, bool awake)
{
	struct pan_dev *dev = b->clients->ctx.dev;
	const char *size = bench_size_name(b->size), *power = awake ? "awake" : "suspended";
	double us;

	set_power(b, awake);
	bench_wait_quiet();
	us = shrink(dev, EVERYTHING);
	bench_sample("us/buffer", us / b->count, "B.evict.%s.%s.%s", kinds[b->kind], size, power);

	set_power(b, awake);
	bench_wait_quiet();
	bench_sample("Mpages/s", memory_swap_out(TOTAL), "B.swapout.%s.%s.%s", kinds[b->kind],
		     size, power);
}

static void measure(struct client *clients, enum kind kind, __u64 size)
{
	struct buffers b;
	int round;

	buffers_create(&b, kind, clients, size, TOTAL / size);
	for (round = 0; round < ROUNDS; round++) {
		evict(&b, true);
		page_out_shmem(&b);
		/* the GPU doesn't know these */
		if (kind != MMAPPED)
			evict(&b, false);
	}
	buffers_restore(&b);
	buffers_check(&b);
	buffers_destroy(&b);
}

/* Give a page of each file, or each page of a file, some content. */
static void touch_files(const int *fds, unsigned int count)
{
	__u64 i, word = 0x5a5a1234;

	for (i = 0; i < PAGES; i++)
		if (pwrite(fds[i % count], &word, sizeof(word), i / count * PAN_PAGE_SIZE) < 0)
			bench_fail(__FILE__, __LINE__, "pwrite", -errno);
}

/*
 * What a file for each page costs whoever reclaims them: a buffer has a file of its
 * own. These have nothing to do with the GPU.
 */
static void reclaim_files(unsigned int count)
{
	static int fds[PAGES];
	unsigned int i;

	for (i = 0; i < count; i++)
		fds[i] = MUST(memfd_create("pages", 0));
	for (i = 0; i < ROUNDS; i++) {
		touch_files(fds, count);
		bench_wait_quiet();
		bench_sample("Mpages/s", memory_swap_out(TOTAL), "B.reclaim.%s",
			     count == 1 ? "one-file" : "file-for-each-page");
	}
	for (i = 0; i < count; i++)
		close(fds[i]);
}

int main(void)
{
	static const __u64 sizes[] = {
		PAN_GPU_PAGE_SIZE, PAN_SZ_64K, PAN_SZ_1M, 16 * PAN_SZ_1M,
	};
	struct client clients[2];
	struct pan_dev dev;
	enum kind kind;
	size_t i;

	bench_open(&dev);
	client_create(&dev, &clients[0]);
	client_create(&dev, &clients[1]);
	shmem = mmap(NULL, TOTAL, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(shmem == MAP_FAILED ? -errno : 0);
	for (kind = PRIVATE; kind <= MMAPPED; kind++)
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			measure(clients, kind, sizes[i]);
	MUST(setrlimit(RLIMIT_NOFILE, &(struct rlimit) { 2 * PAGES, 2 * PAGES }));
	reclaim_files(1);
	reclaim_files(PAGES);
	client_destroy(&clients[0]);
	client_destroy(&clients[1]);
	pan_close(&dev);
	return 0;
}
