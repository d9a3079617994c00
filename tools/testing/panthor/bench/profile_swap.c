// SPDX-License-Identifier: GPL-2.0
/*
 * Something to look at with a profiler, see scripts/profile.sh: evict and swap out
 * 4 KiB buffers, and the same number of one-page files, again and again. Says when
 * each begins and ends.
 *
 * guest: --mem 768M
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include "bench.h"

#define TOTAL		(128 * PAN_SZ_1M)
#define PAGES		(TOTAL / PAN_GPU_PAGE_SIZE)
#define TIMES		20

static void swap_out(const char *what)
{
	double rate;

	printf("begin %s\n", what);
	fflush(stdout);
	rate = memory_swap_out(TOTAL);
	printf("end %s\ndid %s %d %f\n", what, what, (int)(PAGES * .95), 1 / rate);
	fflush(stdout);
}

static void profile_buffers(struct pan_dev *dev)
{
	struct client client;
	struct buffers b;
	int i;

	client_create(dev, &client);
	buffers_create(&b, PRIVATE, &client, PAN_PAGE_SIZE, PAGES);
	for (i = 0; i < TIMES; i++) {
		buffers_restore(&b);
		client_on_slot(&client);
		swap_out("buffers");
	}
	buffers_destroy(&b);
	client_destroy(&client);
}

static void profile_files(void)
{
	static int fds[PAGES];
	const __u64 word = 0x5a5a1234;
	int i, n;

	for (n = 0; n < (int)PAGES; n++)
		fds[n] = MUST(memfd_create("page", 0));
	for (i = 0; i < TIMES; i++) {
		for (n = 0; n < (int)PAGES; n++)
			MUST(pwrite(fds[n], &word, sizeof(word), 0));
		swap_out("files");
	}
	for (n = 0; n < (int)PAGES; n++)
		close(fds[n]);
}

int main(void)
{
	struct pan_dev dev;

	MUST(setrlimit(RLIMIT_NOFILE, &(struct rlimit) { 2 * PAGES, 2 * PAGES }));
	bench_open(&dev);
	profile_buffers(&dev);
	profile_files();
	pan_close(&dev);
	return 0;
}
