// SPDX-License-Identifier: GPL-2.0
/*
 * G: does /proc/pressure/memory count submissions that restore buffers? Its
 * clock has a resolution of 10 ms on UML, so many are needed.
 *
 * guest: --mem 512M
 */
#include "bench.h"

#define BUFFERS		64
#define RESTORES	14	/* 70 in all rounds */

static double stall_us(void)
{
	char text[512], *total;

	MUST(pan_read_file("/proc/pressure/memory", text, sizeof(text)));
	total = strstr(text, "total=");
	MUST(total ? 0 : -EPROTO);
	return strtod(total + strlen("total="), NULL);
}

/* memory.reclaim is a stall, too: only the submission may be between. */
static void measure(struct buffers *b)
{
	double us = 0, stall = 0, before;
	int i;

	for (i = 0; i < RESTORES; i++) {
		memory_evict(b->clients->ctx.dev, b->count * b->size);
		before = stall_us();
		us += TIME_US(client_submit(b->clients));
		stall += stall_us() - before;
		client_settle(b->clients);
	}
	bench_sample("stall/time", stall / us, "G.psi");
}

int main(void)
{
	struct client client;
	struct buffers b;
	struct pan_dev dev;
	int round;

	bench_open(&dev);
	client_create(&dev, &client);
	client_on_slot(&client);
	buffers_create(&b, PRIVATE, &client, PAN_SZ_1M, BUFFERS);
	for (round = 0; round < ROUNDS; round++)
		measure(&b);
	buffers_check(&b);
	buffers_destroy(&b);
	client_destroy(&client);
	pan_close(&dev);
	return 0;
}
