// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection: the n-th allocation of this thread, pages in a row from the
 * n-th on, and I/O of the swap device.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pan_fault.h"
#include "pan_stat.h"
#include "pan_util.h"

#define DEBUGFS	"/sys/kernel/debug/"

struct setting {
	const char *path;
	const char *value;
};

static int apply(const struct setting *settings, size_t count)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < count; i++)
		ret = pan_write_file(settings[i].path, settings[i].value);
	return ret;
}

static int open_with(const struct setting *settings, size_t count, const char *path)
{
	int ret = apply(settings, count), fd;

	if (ret)
		return ret;
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/**
 * pan_fail_nth_open() - Get ready to let allocations of this thread fail.
 *
 * Return: a file descriptor for pan_fail_nth_arm(), -ENOENT if the kernel has
 * no fault injection, or another negative errno.
 */
int pan_fail_nth_open(void)
{
	/* Sleeping and single-page allocations, too; no backtrace for each. */
	static const struct setting settings[] = {
		{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
		{ DEBUGFS "failslab/verbose", "0" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
		{ DEBUGFS "fail_page_alloc/min-order", "0" },
		{ DEBUGFS "fail_page_alloc/verbose", "0" },
	};

	return open_with(settings, ARRAY_SIZE(settings), "/proc/thread-self/fail-nth");
}

/**
 * pan_fail_nth_arm() - Let the n-th allocation from now fail.
 * @fd: from pan_fail_nth_open(), by the same thread
 * @nth: counts from 1
 *
 * Return: 0 or a negative errno.
 */
int pan_fail_nth_arm(int fd, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fd, text, len, 0) == len ? 0 : -errno;
}

/**
 * pan_fail_nth_disarm() - Let no allocation fail any more.
 * @fd: from pan_fail_nth_open()
 * @hit: whether an allocation failed since pan_fail_nth_arm()
 *
 * Return: 0 or a negative errno.
 */
int pan_fail_nth_disarm(int fd, bool *hit)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return -errno;
	*hit = atoi(text) == 0;
	return pan_fail_nth_arm(fd, 0);
}

/**
 * pan_fail_pages_open() - Get ready to let page allocations of this thread fail.
 *
 * To be called after pan_fail_nth_open().
 *
 * Return: a file descriptor for pan_fail_pages_arm(), by the same thread, or a
 * negative errno.
 */
int pan_fail_pages_open(void)
{
	static const struct setting settings[] = {
		{ DEBUGFS "fail_page_alloc/task-filter", "Y" },
		{ DEBUGFS "fail_page_alloc/interval", "1" },
	};

	return open_with(settings, ARRAY_SIZE(settings), "/proc/thread-self/make-it-fail");
}

/**
 * pan_fail_pages_arm() - Let allocations of pages fail, from the n-th from now on.
 * @fd: from pan_fail_pages_open()
 * @nth: counts from 1
 * @count: how many fail in a row
 *
 * Return: 0 or a negative errno.
 */
int pan_fail_pages_arm(int fd, unsigned int nth, unsigned int count)
{
	char first[16], times[16];
	const struct setting settings[] = {
		{ DEBUGFS "fail_page_alloc/space", first },
		{ DEBUGFS "fail_page_alloc/times", times },
		{ DEBUGFS "fail_page_alloc/probability", "100" },
	};
	int ret;

	snprintf(first, sizeof(first), "%u", nth);
	snprintf(times, sizeof(times), "%u", count);
	ret = apply(settings, ARRAY_SIZE(settings));
	return ret ? ret : pwrite(fd, "1", 1, 0) == 1 ? 0 : -errno;
}

/**
 * pan_fail_pages_disarm() - Let no allocation of a page fail any more.
 * @fd: from pan_fail_pages_open()
 * @count: as given to pan_fail_pages_arm()
 * @hit: whether any of them failed since then
 *
 * Return: 0 or a negative errno.
 */
int pan_fail_pages_disarm(int fd, unsigned int count, bool *hit)
{
	char left[16] = "";
	int ret;

	if (pwrite(fd, "0", 1, 0) != 1)
		return -errno;
	ret = pan_read_file(DEBUGFS "fail_page_alloc/times", left, sizeof(left));
	*hit = atoi(left) != (int)count;
	return ret < 0 ? ret : pan_write_file(DEBUGFS "fail_page_alloc/probability", "0");
}

/**
 * pan_swap_io_fail() - Let I/O of the swap device fail, or no more.
 * @on: whether to
 *
 * Only what this process starts itself fails, and its children, so that nobody
 * else loses memory. Lock your own.
 *
 * Return: 0, -ENOENT if there is no swap, or the kernel can't, or another
 * negative errno.
 */
int pan_swap_io_fail(bool on)
{
	const struct setting settings[] = {
		{ DEBUGFS "fail_make_request/verbose", "0" },
		{ DEBUGFS "fail_make_request/times", "-1" },
		{ DEBUGFS "fail_make_request/task-filter", "Y" },
		{ "/proc/self/make-it-fail", on ? "1" : "0" },
		{ DEBUGFS "fail_make_request/probability", on ? "100" : "0" },
	};
	char device[PATH_MAX], path[PATH_MAX + 32];
	int ret;

	ret = pan_swap_device(device, sizeof(device));
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/sys/class/block/%s/make-it-fail",
		 strrchr(device, '/') ? strrchr(device, '/') + 1 : device);
	ret = pan_write_file(path, on ? "1" : "0");
	return ret ? ret : apply(settings, ARRAY_SIZE(settings));
}
