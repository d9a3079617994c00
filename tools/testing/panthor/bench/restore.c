// SPDX-License-Identifier: GPL-2.0
/*
 * C: restore from swap at submission. The yardstick is an in-kernel read of as
 * much swapped-out shared memory. And submission after mem_claim, compared with one to
 * a VM that was never evicted.
 *
 * needs: mem_claim
 * guest: --mem 768M
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "bench.h"

#define TOTAL	(128 * PAN_SZ_1M)
#define PAGES	(TOTAL / PAN_PAGE_SIZE)
#define CLAIMED	(16 * PAN_SZ_1M)
#define SUBMISSIONS	5

static int memfd, sink;
static void *shmem;

static void read_all(void)
{
	off_t offset = 0;

	while (offset < (off_t)TOTAL)
		MUST(sendfile(sink, memfd, &offset, TOTAL - offset));
}

static __u64 swapped_in(void)
{
	__u64 pages;

	MUST(pan_vmstat("pswpin", &pages));
	return pages;
}

/* What isn't mapped isn't paged out, and what is clean isn't written. */
static void page_out_shmem(void)
{
	memory_touch(shmem, TOTAL);
	MUST(madvise(shmem, TOTAL, MADV_PAGEOUT));
}

static void read_shmem(const struct buffers *b)
{
	double us;

	page_out_shmem();
	bench_wait_quiet();
	us = TIME_US(read_all());
	bench_sample("Mpages/s", PAGES / us, "C.sendfile.%s", bench_size_name(b->size));
	page_out_shmem();
}

static void restore(struct buffers *b, bool awake)
{
	struct pan_dev *dev = b->clients->ctx.dev;
	__u64 before;
	double us;

	if (awake)
		client_on_slot(b->clients);
	else
		gpu_suspend(dev);
	memory_evict(dev, TOTAL);
	before = swapped_in();
	bench_wait_quiet();
	us = buffers_restore(b);
	bench_sample("Mpages/s", (swapped_in() - before) / us, "C.restore.%s.%s", bench_size_name(b->size),
		     awake ? "awake" : "suspended");
}

static void measure(struct client *client, __u64 size)
{
	struct buffers b;
	int round;

	buffers_create(&b, PRIVATE, client, size, TOTAL / size);
	for (round = 0; round < ROUNDS; round++) {
		restore(&b, round % 2);
		memory_evict(client->ctx.dev, TOTAL);
		read_shmem(&b);
		buffers_restore(&b);
		restore(&b, !(round % 2));
	}
	buffers_check(&b);
	buffers_destroy(&b);
}

/* The first job after something else was done with the CPU, for a while. */
static void submit(struct buffers *b, const char *when)
{
	double us[SUBMISSIONS];
	int i;

	for (i = 0; i < SUBMISSIONS; i++) {
		if (!strcmp(when, "claimed")) {
			MUST(pan_mem_reclaim_write(b->clients->ctx.dev, getpid()));
			MUST(pan_mem_claim_write(b->clients->ctx.dev, getpid()));
		}
		memory_touch(shmem, CLAIMED);
		gpu_settle(b->clients->ctx.dev);
		bench_wait_quiet();
		us[i] = TIME_US(client_submit(b->clients));
		client_settle(b->clients);
	}
	bench_sample("us", bench_median(us, SUBMISSIONS), "C.submit.%s.%s", when,
		     bench_size_name(b->size));
}

/* A VM that was never evicted, and the same VM when it was, and was claimed. */
static void claim(struct pan_dev *dev, __u64 size)
{
	struct client client;
	struct buffers b;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		client_create(dev, &client);
		buffers_create(&b, PRIVATE, &client, size, CLAIMED / size);
		submit(&b, "never-evicted");
		submit(&b, "claimed");
		buffers_check(&b);
		buffers_destroy(&b);
		client_destroy(&client);
	}
}

int main(void)
{
	static const __u64 sizes[] = {
		PAN_GPU_PAGE_SIZE, PAN_SZ_64K, PAN_SZ_1M, 16 * PAN_SZ_1M,
	};
	struct client client;
	struct pan_dev dev;
	size_t i;

	bench_open(&dev);
	client_create(&dev, &client);
	memfd = MUST(memfd_create("shmem", 0));
	sink = MUST(open("/dev/null", O_WRONLY));
	MUST(ftruncate(memfd, TOTAL));
	shmem = mmap(NULL, TOTAL, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	MUST(shmem == MAP_FAILED ? -errno : 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		measure(&client, sizes[i]);
	client_destroy(&client);
	gpu_suspend(&dev);
	claim(&dev, PAN_PAGE_SIZE);
	claim(&dev, PAN_SZ_1M);
	pan_close(&dev);
	return 0;
}
