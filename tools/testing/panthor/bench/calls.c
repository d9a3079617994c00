// SPDX-License-Identifier: GPL-2.0
/*
 * System calls without what UML takes for each of them.
 */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "bench.h"

static const char *watched;

/**
 * calls_watch() - Let a profiler know when calls are carried out.
 * @name: what to call what they do
 */
void calls_watch(const char *name)
{
	watched = name;
}

/* It knows by what's printed, which takes a moment: have nothing happen meanwhile. */
static void say(const char *what)
{
	if (!watched)
		return;
	usleep(1000);
	printf("%s %s\n", what, watched);
	fflush(stdout);
	usleep(1000);
}

/**
 * calls_run() - Carry out calls, all of which must succeed.
 * @calls: the calls
 * @count: their number
 *
 * Return: what they took, in µs.
 */
double calls_run(struct batch_call *calls, __u32 count)
{
	struct batch batch = { .calls = (__u64)calls, .count = count };
	static int fd = -1;
	double start;
	__u32 i;

	if (fd < 0) {
		fd = open("/dev/batch", O_RDWR | O_CLOEXEC);
		MUST(fd < 0 ? -errno : 0);
	}
	say("begin");
	start = bench_start();
	MUST(ioctl(fd, BATCH_RUN, &batch) ? -errno : 0);
	bench_stop(start);
	say("end");
	for (i = 0; i < count; i++)
		MUST(calls[i].ret);
	return batch.ns / 1e3;
}
