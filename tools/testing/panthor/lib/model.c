// SPDX-License-Identifier: GPL-2.0
/*
 * Counters and knobs of the software GPU.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pan_stat.h"
#include "pan_util.h"

#define MODEL_DEBUGFS		"/sys/kernel/debug/mali_csf_model"
#define DEFAULT_TLB_ENTRIES	4096

/**
 * pan_model_present() - Whether the GPU is the software model.
 *
 * Return: true if its debugfs directory is there.
 */
bool pan_model_present(void)
{
	return !access(MODEL_DEBUGFS "/counters", F_OK);
}

/**
 * pan_model_counter() - Read a counter.
 * @name: its file
 * @value: the number
 *
 * Return: 0 or a negative errno.
 */
int pan_model_counter(const char *name, __u64 *value)
{
	char path[128];

	snprintf(path, sizeof(path), MODEL_DEBUGFS "/counters/%s", name);
	return pan_read_u64(path, value);
}

/**
 * pan_model_knob_set() - Write a knob.
 * @name: its file
 * @value: text
 *
 * Return: 0 or a negative errno.
 */
int pan_model_knob_set(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), MODEL_DEBUGFS "/%s", name);
	return pan_write_file(path, value);
}

/**
 * pan_model_knob_set_u64() - Write a number to a knob.
 * @name: its file
 * @value: the number
 *
 * Return: 0 or a negative errno.
 */
int pan_model_knob_set_u64(const char *name, __u64 value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", value);
	return pan_model_knob_set(name, text);
}

/**
 * pan_model_knob_get() - Read a knob that holds a number.
 * @name: its file
 * @value: the number
 *
 * Return: 0 or a negative errno.
 */
int pan_model_knob_get(const char *name, __u64 *value)
{
	char path[128];

	snprintf(path, sizeof(path), MODEL_DEBUGFS "/%s", name);
	return pan_read_u64(path, value);
}

/**
 * pan_model_knobs_reset() - Put all knobs back to what they are after loading.
 *
 * An interrupt that ``lose_irq`` is to swallow is not taken back: who asked for
 * that waits until it's lost.
 *
 * Return: 0 or the first negative errno; all knobs are tried.
 */
int pan_model_knobs_reset(void)
{
	static const struct {
		const char *name;
		__u64 value;
	} knobs[] = {
		{ "mcu_hang", 0 },
		{ "refuse_power", 0 },
		{ "reset_hang", 0 },
		{ "as_hang_nth", 0 },
		{ "as_drop_nth", 0 },
		{ "flush_hang_nth", 0 },
		{ "as_latency_us", 0 },
		{ "as_late_us", 0 },
		{ "tlb_entries", DEFAULT_TLB_ENTRIES },
		{ "tiler_oom_auto", 0 },
		{ "ack_latency_us", 0 },
		{ "boot_latency_us", 0 },
		{ "retention", 0 },
		{ "step", 0 },
		{ "pause", 0 },
	};
	int ret = 0, err;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		err = pan_model_knob_set_u64(knobs[i].name, knobs[i].value);
		ret = ret ? ret : err;
	}
	return ret;
}

/**
 * pan_model_warnings() - Text of the model's complaints about the driver.
 * @buf: gets the text
 * @len: size of @buf
 *
 * Return: length of the text or a negative errno.
 */
int pan_model_warnings(char *buf, size_t len)
{
	return pan_read_file(MODEL_DEBUGFS "/warning_log", buf, len);
}

/**
 * pan_model_tlb_audit() - Cached translations that are no longer true.
 * @buf: gets a line for each; there must be none when the driver is at rest
 * @len: size of @buf
 *
 * Return: length of the text or a negative errno.
 */
int pan_model_tlb_audit(char *buf, size_t len)
{
	return pan_read_file(MODEL_DEBUGFS "/tlb_audit", buf, len);
}

/**
 * pan_model_busy_stream() - Find a command stream that has work.
 * @stream: filled in
 *
 * Return: 0, -ENOENT if there is none, -EEXIST if there are several, or
 * another negative errno.
 */
int pan_model_busy_stream(struct pan_stream *stream)
{
	char text[16384], *line, *save = NULL;
	__u64 extract, insert;
	struct pan_stream s;
	int ret, found = 0;

	ret = pan_read_file(MODEL_DEBUGFS "/state", text, sizeof(text));
	if (ret < 0)
		return ret;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "csg %u cs %u as %u result %*d stall %*d extract %llx insert %llx",
			   &s.csg, &s.cs, &s.as, &extract, &insert) != 5 || extract == insert)
			continue;
		*stream = s;
		found++;
	}
	return found == 1 ? 0 : found ? -EEXIST : -ENOENT;
}

struct counter_goal {
	const char *name;
	__u64 at_least;
};

static int goal_reached(void *arg)
{
	struct counter_goal *goal = arg;
	__u64 value;
	int ret;

	ret = pan_model_counter(goal->name, &value);
	return ret ? ret : value >= goal->at_least;
}

/**
 * pan_model_wait_counter() - Wait until a counter has a value.
 * @name: its file
 * @at_least: the value
 * @timeout_ms: deadline
 *
 * Return: 0, -ETIME at the deadline, or another negative errno.
 */
int pan_model_wait_counter(const char *name, __u64 at_least, int timeout_ms)
{
	struct counter_goal goal = { .name = name, .at_least = at_least };

	return pan_poll(goal_reached, &goal, timeout_ms);
}
