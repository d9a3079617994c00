// SPDX-License-Identifier: GPL-2.0
/*
 * Clients, and what the GPU is doing: a job held, the VM on a slot, asleep.
 */
#include "bench.h"

void client_create(struct pan_dev *dev, struct client *client)
{
	struct pan_cs cs;

	MUST(pan_ctx_create(dev, 1, &client->ctx));
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_wait(0));
	MUST(pan_ctx_upload(&client->ctx, &cs, &client->job));
	client->job_size = pan_cs_size(&cs);
}

void client_destroy(struct client *client)
{
	MUST(pan_ctx_destroy(&client->ctx));
}

/* One ioctl, which restores what was evicted. */
void client_submit(struct client *client)
{
	struct drm_panthor_sync_op done = pan_signal_op(client->ctx.sync);

	MUST(pan_queue_submit(&client->ctx.group, 0, client->job, client->job_size, &done, 1));
}

void client_wait(struct client *client)
{
	MUST(pan_ctx_wait(&client->ctx, PAN_DEADLINE_MS));
}

/*
 * Keep a job in the VM. The GPU stands still, so this job, and those of other
 * clients, end with client_release(), which must happen before their time-out.
 */
void client_hold(struct client *client)
{
	MUST(pan_model_knob_set("pause", "1"));
	client_submit(client);
}

void client_release(struct client *client)
{
	MUST(pan_model_knob_set("pause", "0"));
	client_wait(client);
}

static bool kept_awake;

#define QUIET_US	30000	/* three ticks of the driver's scheduler */

static int is_quiet(void *arg)
{
	__u64 before = bench_counter("reg_writes");

	(void)arg;
	usleep(QUIET_US);
	return bench_counter("reg_writes") == before;
}

/*
 * Wait until driver and firmware have nothing to tell each other, which includes
 * that the GPU is to be suspended, unless that's forbidden.
 */
void gpu_settle(struct pan_dev *dev)
{
	if (kept_awake)
		MUST(pan_poll(is_quiet, NULL, PAN_DEADLINE_MS));
	else
		MUST(pan_wait_suspended(dev, PAN_DEADLINE_MS));
}

void client_settle(struct client *client)
{
	client_wait(client);
	gpu_settle(client->ctx.dev);
}

static void keep_awake(struct pan_dev *dev, bool on)
{
	MUST(pan_keep_awake(dev, on));
	kept_awake = on;
}

/* The GPU is powered, and knows the client's VM. */
void client_on_slot(struct client *client)
{
	keep_awake(client->ctx.dev, true);
	client_submit(client);
	client_settle(client);
}

void gpu_suspend(struct pan_dev *dev)
{
	keep_awake(dev, false);
	gpu_settle(dev);
}
