// SPDX-License-Identifier: GPL-2.0
/*
 * Binding, unbinding, loading and unloading the driver. Needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pan.h"
#include "pan_util.h"

#define DRIVER_DIR "/sys/bus/platform/drivers/panthor"

/**
 * pan_driver_bind() - Bind the driver to a platform device.
 * @name: device name
 *
 * Return: 0 or a negative errno (of the probe).
 */
int pan_driver_bind(const char *name)
{
	return pan_write_file(DRIVER_DIR "/bind", name);
}

/**
 * pan_driver_unbind() - Unbind the driver from a platform device.
 * @name: device name
 *
 * Return: 0 or a negative errno.
 */
int pan_driver_unbind(const char *name)
{
	return pan_write_file(DRIVER_DIR "/unbind", name);
}

static int run(char *const argv[])
{
	int status, ret;
	pid_t pid;

	ret = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (ret)
		return -ret;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

/**
 * pan_module_load() - modprobe a module.
 * @module: its name
 *
 * The environment variable PANTHOR_MODULES names the directory that has
 * lib/modules; unset means the running system's.
 *
 * Return: 0, -EIO if modprobe failed, or another negative errno.
 */
int pan_module_load(const char *module)
{
	char *dir = getenv("PANTHOR_MODULES");
	char *argv[5], **arg = argv;

	*arg++ = "modprobe";
	if (dir && *dir) {
		*arg++ = "-d";
		*arg++ = dir;
	}
	*arg++ = (char *)module;
	*arg = NULL;
	return run(argv);
}

/**
 * pan_module_unload() - Remove a module.
 * @module: its name
 *
 * Return: 0, -EAGAIN/-EBUSY while it is in use, or another negative errno.
 */
int pan_module_unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

static int try_unload(void *arg)
{
	int ret = pan_module_unload(arg);

	if (ret == -EAGAIN || ret == -EBUSY)
		return 0;
	return ret ? ret : 1;
}

/**
 * pan_module_unload_wait() - Remove a module as soon as nobody uses it.
 * @module: its name
 * @timeout_ms: deadline
 *
 * A module is busy for a moment after its last file was closed.
 *
 * Return: 0, -ETIME at the deadline, or another negative errno.
 */
int pan_module_unload_wait(const char *module, int timeout_ms)
{
	return pan_poll(try_unload, (void *)module, timeout_ms);
}
