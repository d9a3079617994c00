// SPDX-License-Identifier: GPL-2.0
/*
 * Child processes that say where they are, and wait to be told to go on.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pan_child.h"

/* How long a child may take for a step, whatever else is going on. */
static int patience_ms(void)
{
	return 5 * PAN_DEADLINE_MS;
}

/* Tell what a child is doing instead of answering. */
static void show_child(pid_t pid)
{
	static const char *const files[] = { "stat", "syscall", "wchan", "stack" };
	char path[PATH_MAX], text[2048];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		if (pan_read_file(path, text, sizeof(text)) > 0)
			printf("# process %d does not answer, its %s: %s\n", pid, files[i], text);
	}
	fflush(stdout);
}

/**
 * pan_child_start() - Run a function in a process of its own.
 * @child: filled in
 * @fn: function; its argument is the child's side. What it returns, 0 or a
 *	negative errno, is for pan_child_wait()
 * @arg: for @fn, as self->arg
 *
 * The child doesn't outlive its parent.
 *
 * Return: 0 or a negative errno.
 */
int pan_child_start(struct pan_child *child, int (*fn)(struct pan_child *self), void *arg)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	fflush(NULL);
	child->arg = arg;
	child->pid = fork();
	child->fd = fds[child->pid == 0];
	close(fds[child->pid != 0]);
	if (child->pid < 0) {
		close(child->fd);
		return -errno;
	}
	if (child->pid)
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(-fn(child) & 0xff);
}

/**
 * pan_child_tell() - Send a number to the other side.
 * @other: child, or self
 * @value: number
 *
 * Return: 0 or a negative errno.
 */
int pan_child_tell(struct pan_child *other, __s64 value)
{
	ssize_t n = send(other->fd, &value, sizeof(value), MSG_NOSIGNAL);

	return n == sizeof(value) ? 0 : -errno;
}

/**
 * pan_child_hear() - Wait for a number from the other side.
 * @other: child, or self
 * @value: number
 *
 * A child waits for as long as its parent lives.
 *
 * Return: 0, -EPIPE if the other side is gone, -ETIME if the child doesn't
 * answer, or another negative errno.
 */
int pan_child_hear(struct pan_child *other, __s64 *value)
{
	struct pollfd poll_fd = { .fd = other->fd, .events = POLLIN };
	ssize_t n;
	int ret;

	do {
		ret = poll(&poll_fd, 1, other->pid ? patience_ms() : -1);
	} while (ret < 0 && errno == EINTR);
	if (!ret)
		show_child(other->pid);
	if (ret <= 0)
		return ret ? -errno : -ETIME;
	n = recv(other->fd, value, sizeof(*value), 0);
	return n == sizeof(*value) ? 0 : n < 0 ? -errno : -EPIPE;
}

/**
 * pan_child_meet() - Wait until both sides are at this point.
 * @other: child, or self
 *
 * Return: 0, or as pan_child_hear(). -EPROTO if the other side said something
 * else than that it's there.
 */
int pan_child_meet(struct pan_child *other)
{
	__s64 value = 0;
	int ret;

	ret = pan_child_tell(other, 0);
	if (!ret)
		ret = pan_child_hear(other, &value);
	return ret ? ret : value ? -EPROTO : 0;
}

/**
 * pan_child_wait() - Wait for the end of a child.
 * @child: child
 * @result: what its function returned, -EINTR if a signal ended it
 *
 * Return: 0, -ETIME if it doesn't end and had to be killed, or another negative
 * errno.
 */
int pan_child_wait(struct pan_child *child, int *result)
{
	struct pollfd poll_fd = { .fd = child->fd };
	int status, ended;

	/* The socket hangs up when the child is gone, and not before. */
	ended = poll(&poll_fd, 1, patience_ms());
	if (ended <= 0)
		kill(child->pid, SIGKILL);
	if (waitpid(child->pid, &status, 0) != child->pid)
		return -errno;
	close(child->fd);
	*result = WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
	return ended > 0 ? 0 : -ETIME;
}

/**
 * pan_child_kill() - Send a signal to a child and wait for its end.
 * @child: child
 * @sig: signal
 *
 * Return: 0 or a negative errno.
 */
int pan_child_kill(struct pan_child *child, int sig)
{
	int result;

	if (kill(child->pid, sig))
		return -errno;
	return pan_child_wait(child, &result);
}
