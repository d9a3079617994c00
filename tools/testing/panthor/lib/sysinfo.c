// SPDX-License-Identifier: GPL-2.0
/*
 * What the system says about memory and swap, and ways to make it tight.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pan_stat.h"
#include "pan_util.h"

#define ROOT_MEMORY_RECLAIM	"/sys/fs/cgroup/memory.reclaim"
#define ZRAM			"/dev/zram0"
#define ZRAM_SYSFS		"/sys/block/zram0/"
#define ZRAM_PRIORITY		100

/* Value of the line that starts with @key followed by @sep. */
static int find_value(const char *path, const char *key, char sep, __u64 *value)
{
	char text[16384], *line, *save = NULL;
	size_t len = strlen(key);
	int ret;

	ret = pan_read_file(path, text, sizeof(text));
	if (ret < 0)
		return ret;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, len) && line[len] == sep)
			return sscanf(line + len + 1, "%llu", value) == 1 ? 0 : -EPROTO;
	return -ENOENT;
}

/**
 * pan_meminfo() - A line of /proc/meminfo.
 * @key: its name, without the colon
 * @bytes: its value
 *
 * Return: 0 or a negative errno.
 */
int pan_meminfo(const char *key, __u64 *bytes)
{
	int ret = find_value("/proc/meminfo", key, ':', bytes);

	*bytes <<= 10;
	return ret;
}

/**
 * pan_vmstat() - A line of /proc/vmstat.
 * @key: its name
 * @value: its value
 *
 * Return: 0 or a negative errno.
 */
int pan_vmstat(const char *key, __u64 *value)
{
	return find_value("/proc/vmstat", key, ' ', value);
}

/**
 * pan_really_free() - Free memory, with what the allocator keeps at hand for the CPUs.
 * @bytes: its value
 *
 * Return: 0 or a negative errno.
 */
int pan_really_free(__u64 *bytes)
{
	char text[16384], *p;
	int ret;

	ret = pan_meminfo("MemFree", bytes);
	if (!ret)
		ret = pan_read_file("/proc/zoneinfo", text, sizeof(text));
	if (ret < 0)
		return ret;
	for (p = text; (p = strstr(p, " count: ")); p++)
		*bytes += strtoull(p + strlen(" count: "), NULL, 10) * PAN_PAGE_SIZE;
	return 0;
}

/**
 * pan_swap_total() - Size of all swap.
 * @bytes: its value
 *
 * Return: 0 or a negative errno.
 */
int pan_swap_total(__u64 *bytes)
{
	return pan_meminfo("SwapTotal", bytes);
}

/**
 * pan_swap_free() - Unused swap.
 * @bytes: its value
 *
 * Return: 0 or a negative errno.
 */
int pan_swap_free(__u64 *bytes)
{
	return pan_meminfo("SwapFree", bytes);
}

/**
 * pan_swap_device() - Path of the first swap device.
 * @path: gets the path
 * @len: size of @path
 *
 * Return: 0, -ENOENT if there is no swap, or another negative errno.
 */
int pan_swap_device(char *path, size_t len)
{
	char text[4096], *line;
	int ret;

	ret = pan_read_file("/proc/swaps", text, sizeof(text));
	if (ret < 0)
		return ret;
	line = strchr(text, '\n');
	if (!line || !line[1])
		return -ENOENT;
	line++;
	line[strcspn(line, " \t\n")] = '\0';
	if ((size_t)snprintf(path, len, "%s", line) >= len)
		return -ENAMETOOLONG;
	return 0;
}

/**
 * pan_memory_reclaim() - Ask the kernel to reclaim, from the whole system.
 * @bytes: how much
 *
 * Return: 0, -EAGAIN if it got less than that, or another negative errno.
 */
int pan_memory_reclaim(__u64 bytes)
{
	return pan_write_u64(ROOT_MEMORY_RECLAIM, bytes);
}

/**
 * pan_zram_start() - Swap on compressed RAM, rather than on what there was before.
 * @bytes: size of the device
 *
 * Return: 0 or a negative errno.
 */
int pan_zram_start(__u64 bytes)
{
	int ret;

	ret = pan_write_u64(ZRAM_SYSFS "disksize", bytes);
	if (ret)
		return ret;
	if (system("/sbin/mkswap " ZRAM " >/dev/null"))
		return -EIO;
	return swapon(ZRAM, SWAP_FLAG_PREFER | ZRAM_PRIORITY) ? -errno : 0;
}

/**
 * pan_zram_stop() - Undo pan_zram_start().
 *
 * Return: 0 or a negative errno.
 */
int pan_zram_stop(void)
{
	if (swapoff(ZRAM))
		return -errno;
	return pan_write_u64(ZRAM_SYSFS "reset", 1);
}

/* Number in a column of a file of the device, from 0 on. */
static int zram_column(const char *path, unsigned int column, __u64 *value)
{
	char text[256], *word, *save = NULL;
	int ret;

	ret = pan_read_file(path, text, sizeof(text));
	if (ret < 0)
		return ret;
	word = strtok_r(text, " \n", &save);
	while (word && column--)
		word = strtok_r(NULL, " \n", &save);
	return word ? pan_parse_u64(word, 10, value) : -EPROTO;
}

/**
 * pan_zram_used() - Memory that compressed RAM takes.
 * @bytes: gets its value
 *
 * Return: 0 or a negative errno.
 */
int pan_zram_used(__u64 *bytes)
{
	return zram_column(ZRAM_SYSFS "mm_stat", 2, bytes);
}

/**
 * pan_zram_failed_writes() - Writes to compressed RAM for which there was no memory.
 * @count: gets their number
 *
 * Return: 0 or a negative errno.
 */
int pan_zram_failed_writes(__u64 *count)
{
	return zram_column(ZRAM_SYSFS "io_stat", 1, count);
}

/* The child: touch memory, tell the parent, hold on to it. */
static void hog(__u64 bytes, int ready)
{
	char *mem;
	__u64 i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		_exit(1);
	for (i = 0; i < bytes; i += PAN_PAGE_SIZE)
		__atomic_store_n(&mem[i], 1, __ATOMIC_RELAXED);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/**
 * pan_pressure_start() - Start a process that occupies memory.
 * @bytes: how much
 * @pid: the process, to be given to pan_pressure_stop()
 *
 * Returns when the process has touched all of it.
 *
 * Return: 0, -ENOMEM if the process did not get there, or another negative
 * errno.
 */
int pan_pressure_start(__u64 bytes, pid_t *pid)
{
	int pipefd[2], ret = 0;
	char ready;

	if (pipe(pipefd))
		return -errno;
	*pid = fork();
	if (*pid == 0) {
		close(pipefd[0]);
		hog(bytes, pipefd[1]);
	}
	close(pipefd[1]);
	if (*pid < 0) {
		ret = -errno;
	} else if (read(pipefd[0], &ready, 1) != 1) {
		ret = -ENOMEM;
		pan_pressure_stop(*pid);
	}
	close(pipefd[0]);
	return ret;
}

/**
 * pan_pressure_stop() - End a process started by pan_pressure_start().
 * @pid: process
 *
 * Return: 0 or a negative errno.
 */
int pan_pressure_stop(pid_t pid)
{
	int status;

	if (kill(pid, SIGKILL) && errno != ESRCH)
		return -errno;
	return waitpid(pid, &status, 0) == pid ? 0 : -errno;
}

/**
 * pan_mem_reclaim_path() - The driver's sysfs mem_reclaim.
 * @dev: device
 * @path: gets the path
 * @len: size of @path
 */
void pan_mem_reclaim_path(struct pan_dev *dev, char *path, size_t len)
{
	snprintf(path, len, "%s/mem_reclaim", dev->sysfs);
}

/**
 * pan_mem_reclaim_write() - Write a process to the driver's sysfs mem_reclaim.
 * @dev: device
 * @tgid: process
 *
 * Return: 0, -ENOENT if the driver has no such file, or another negative errno.
 */
int pan_mem_reclaim_write(struct pan_dev *dev, int tgid)
{
	char path[PATH_MAX + 16];

	pan_mem_reclaim_path(dev, path, sizeof(path));
	return pan_write_u64(path, tgid);
}

/**
 * pan_mem_claim_path() - The driver's sysfs mem_claim.
 * @dev: device
 * @path: gets the path
 * @len: size of @path
 */
void pan_mem_claim_path(struct pan_dev *dev, char *path, size_t len)
{
	snprintf(path, len, "%s/mem_claim", dev->sysfs);
}

/**
 * pan_mem_claim_write() - Write a process to the driver's sysfs mem_claim.
 * @dev: device
 * @tgid: process
 *
 * Return: 0, -ENOENT if the driver has no such file, or another negative errno.
 */
int pan_mem_claim_write(struct pan_dev *dev, int tgid)
{
	char path[PATH_MAX + 16];

	pan_mem_claim_path(dev, path, sizeof(path));
	return pan_write_u64(path, tgid);
}
