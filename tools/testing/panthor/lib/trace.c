// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's tracepoints, through tracefs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pan_stat.h"
#include "pan_util.h"

#define TRACEFS	"/sys/kernel/tracing/"

/**
 * pan_trace_start() - Empty the trace and record the driver's events.
 *
 * Return: 0, -ENOENT if the driver has none, or another negative errno.
 */
int pan_trace_start(void)
{
	int fd = open(TRACEFS "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return pan_write_file(TRACEFS "events/panthor/enable", "1");
}

/**
 * pan_trace_stop() - Record no more events, and read those that were.
 * @text: gets the trace, to be freed; NULL if it isn't wanted
 *
 * Return: 0 or a negative errno.
 */
int pan_trace_stop(char **text)
{
	const size_t size = 1 << 20;
	int ret;

	ret = pan_write_file(TRACEFS "events/panthor/enable", "0");
	if (ret || !text)
		return ret;
	*text = malloc(size);
	if (!*text)
		return -ENOMEM;
	ret = pan_read_file(TRACEFS "trace", *text, size);
	return ret < 0 ? ret : 0;
}

/**
 * pan_trace_next() - Find an event.
 * @text: where to begin: the trace, or what was returned before
 * @event: name
 *
 * Return: what the event says, up to the end of its line; NULL if there is no
 * such event any more.
 */
const char *pan_trace_next(const char *text, const char *event)
{
	char word[64];

	snprintf(word, sizeof(word), " %s: ", event);
	text = strstr(text, word);
	return text ? text + strlen(word) : NULL;
}

/**
 * pan_trace_value() - A number of an event.
 * @event: from pan_trace_next()
 * @key: name in front of an equals sign
 * @value: the number
 *
 * Return: 0, -ENOENT.
 */
int pan_trace_value(const char *event, const char *key, __u64 *value)
{
	const char *end = strchrnul(event, '\n'), *p = event;
	char word[64];

	snprintf(word, sizeof(word), " %s=", key);
	p = strstr(event, word);
	if (!p || p > end)
		return -ENOENT;
	return sscanf(p + strlen(word), "%llu", value) == 1 ? 0 : -ENOENT;
}
