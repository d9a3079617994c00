// SPDX-License-Identifier: GPL-2.0
/*
 * Seeds, clocks, deadlines, small files.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "pan_util.h"

#define POLL_INTERVAL_NS	500000

static __u64 choose_seed(void)
{
	const char *env = getenv("PAN_SEED");
	__u64 seed;

	if (env && !pan_parse_u64(env, 0, &seed))
		return seed;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = time(NULL);
	return seed;
}

/**
 * pan_seed() - Seed of this run.
 *
 * Taken from the environment variable PAN_SEED if that is a number, otherwise
 * random; the same for all calls and for children.
 *
 * Return: the seed.
 */
__u64 pan_seed(void)
{
	static bool chosen;
	static __u64 seed;

	if (!chosen) {
		seed = choose_seed();
		chosen = true;
	}
	return seed;
}

/**
 * pan_rand() - Next number of a pseudo-random sequence (splitmix64).
 * @state: state, start it from pan_seed()
 *
 * Return: 64 random bits.
 */
__u64 pan_rand(__u64 *state)
{
	__u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/**
 * pan_alone() - Is the device this test's alone?
 *
 * Not so in a soak, where several tests run at once. What they see of the whole
 * device means nothing then, and all takes longer.
 *
 * Return: false if PAN_TOGETHER is in the environment.
 */
bool pan_alone(void)
{
	return !getenv("PAN_TOGETHER");
}

/**
 * pan_now_ms() - Monotonic time.
 *
 * Return: milliseconds.
 */
__u64 pan_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/**
 * pan_relax() - Give up the CPU between two looks at a condition.
 */
void pan_relax(void)
{
	const struct timespec interval = { .tv_nsec = POLL_INTERVAL_NS };

	nanosleep(&interval, NULL);
}

/**
 * pan_poll() - Wait for a condition.
 * @cond: returns a positive number when it is met, 0 when not, a negative
 *	  errno to give up
 * @arg: passed to @cond
 * @timeout_ms: deadline
 *
 * Return: 0, -ETIME at the deadline, or what @cond gave up with.
 */
int pan_poll(int (*cond)(void *arg), void *arg, int timeout_ms)
{
	__u64 end = pan_now_ms() + timeout_ms;
	int ret;

	for (;;) {
		ret = cond(arg);
		if (ret)
			return ret < 0 ? ret : 0;
		if (pan_now_ms() > end)
			return -ETIME;
		pan_relax();
	}
}

/**
 * pan_read_file() - Read a small text file as a whole.
 * @path: file
 * @buf: gets the text, always terminated
 * @len: size of @buf
 *
 * Return: length of the text, -EFBIG if it does not fit, or another negative
 * errno.
 */
int pan_read_file(const char *path, char *buf, size_t len)
{
	size_t used = 0;
	ssize_t n;
	int fd, ret;

	buf[0] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf + used, len - 1 - used);
		if (n > 0)
			used += n;
	} while (n > 0 && used < len - 1);

	ret = n < 0 ? -errno : n > 0 ? -EFBIG : (int)used;
	buf[used] = '\0';
	close(fd);
	return ret;
}

/**
 * pan_write_file() - Write a text with one write().
 * @path: file
 * @text: text
 *
 * Return: 0 or a negative errno.
 */
int pan_write_file(const char *path, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;
	int fd, ret;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	ret = n < 0 ? -errno : (size_t)n < len ? -EIO : 0;
	close(fd);
	return ret;
}

/**
 * pan_parse_u64() - Parse a number, and nothing but a number.
 * @text: digits, optionally followed by one newline
 * @base: as for strtoull()
 * @value: the number
 *
 * Return: 0, -EINVAL or -ERANGE.
 */
int pan_parse_u64(const char *text, int base, __u64 *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, base);
	if (errno)
		return -errno;
	if (*end == '\n')
		end++;
	return *end ? -EINVAL : 0;
}

/**
 * pan_read_u64() - Read a file that holds one decimal number.
 * @path: file
 * @value: the number
 *
 * Return: 0 or a negative errno.
 */
int pan_read_u64(const char *path, __u64 *value)
{
	char text[64];
	int ret;

	ret = pan_read_file(path, text, sizeof(text));
	return ret < 0 ? ret : pan_parse_u64(text, 10, value);
}

/**
 * pan_write_u64() - Write a number in decimal.
 * @path: file
 * @value: the number
 *
 * Return: 0 or a negative errno.
 */
int pan_write_u64(const char *path, __u64 value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", value);
	return pan_write_file(path, text);
}
