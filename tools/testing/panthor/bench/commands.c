// SPDX-License-Identifier: GPL-2.0
/*
 * F: commands to the GPU's MMU, and cache flushes, for evicting and restoring
 * buffers: counted, not timed.
 *
 * guest: --mem 512M
 */
#include "bench.h"

/* The driver's batch, after which it flushes: 4 MiB. */
#define BATCH		(4 * PAN_SZ_1M)
#define OWN_SIZE	(300 << 10)	/* of a client, roughly */

struct commands {
	__u64 locks;		/* one for each sequence */
	__u64 commands;
	__u64 gpu_flushes;
};

static struct commands count(void)
{
	struct commands c = {
		.locks = bench_counter("as_lock"),
		.gpu_flushes = bench_counter("gpu_flushes"),
	};

	c.commands = c.locks + bench_counter("as_unlock") + bench_counter("as_update") +
		     bench_counter("as_flush_pt") + bench_counter("as_flush_mem");
	return c;
}

/*
 * How many batches it takes. What the clients have of their own makes one more,
 * if it isn't in the same list.
 */
static double batches(const struct buffers *b)
{
	__u64 n = (b->count * b->size + OWN_SIZE + BATCH - 1) / BATCH;

	return b->kind == SHARED ? 2 * (n + 1) : n;
}

static void report(const struct commands *before, const struct buffers *b, const char *what,
		   const char *power)
{
	struct commands now = count();
	const char *kind = b->kind == SHARED ? "shared" : "private";

	bench_sample("sequences/batch", (now.locks - before->locks) / batches(b),
		     "F.%s.%s.%u.%s", what, kind, b->count, power);
	bench_sample("commands/buffer",
		     (double)(now.commands - before->commands +
			      now.gpu_flushes - before->gpu_flushes) / b->count,
		     "F.%s-commands.%s.%u.%s", what, kind, b->count, power);
}

static void measure(struct client *clients, enum kind kind, __u32 n, bool awake)
{
	struct pan_dev *dev = clients->ctx.dev;
	struct commands before;
	struct buffers b;
	int round, c;

	buffers_create(&b, kind, clients, PAN_PAGE_SIZE, n);
	for (round = 0; round < ROUNDS; round++) {
		buffers_restore(&b);
		for (c = 0; c < (kind == SHARED ? 2 : 1); c++)
			client_on_slot(&clients[c]);
		if (!awake)
			gpu_suspend(dev);
		before = count();
		shrink(dev, EVERYTHING);
		report(&before, &b, "evict", awake ? "awake" : "suspended");
		if (!awake)
			continue;
		before = count();
		/* only the ioctl: what the job itself needs comes later */
		TIME_US(client_submit(&clients[0]));
		report(&before, &b, "restore", "awake");
		client_wait(&clients[0]);
	}
	buffers_restore(&b);
	buffers_check(&b);
	buffers_destroy(&b);
}

int main(void)
{
	static const __u32 counts[] = { 1, 100, 10000 };
	struct client clients[2];
	struct pan_dev dev;
	enum kind kind;
	size_t i;

	bench_open(&dev);
	client_create(&dev, &clients[0]);
	for (kind = PRIVATE; kind <= SHARED; kind++) {
		if (kind == SHARED)
			client_create(&dev, &clients[1]);
		for (i = 0; i < ARRAY_SIZE(counts); i++) {
			measure(clients, kind, counts[i], true);
			measure(clients, kind, counts[i], false);
		}
	}
	client_destroy(&clients[0]);
	client_destroy(&clients[1]);
	pan_close(&dev);
	return 0;
}
