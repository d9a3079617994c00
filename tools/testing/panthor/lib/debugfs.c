// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's debugfs files: gems, shrink, reclaim.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pan_stat.h"
#include "pan_util.h"

#define DRI_DEBUGFS	"/sys/kernel/debug/dri"
#define CREATED_BY_LEN	32
#define MAX_TEXT	(4UL << 20)

/**
 * pan_debugfs_path() - Path of a file in the device's debugfs directory.
 * @dev: device
 * @name: file
 * @path: gets the path
 * @len: size of @path
 *
 * Return: 0, -ENOENT if there is no such file, -ENAMETOOLONG.
 */
int pan_debugfs_path(struct pan_dev *dev, const char *name, char *path, size_t len)
{
	int n = snprintf(path, len, DRI_DEBUGFS "/%u/%s", dev->minor, name);

	if (n < 0 || (size_t)n >= len)
		return -ENAMETOOLONG;
	return access(path, F_OK) ? -errno : 0;
}

/**
 * pan_has_shrink() - Whether the driver can be asked to evict.
 * @dev: device
 *
 * Return: true if the debugfs file is there.
 */
bool pan_has_shrink(struct pan_dev *dev)
{
	char path[PATH_MAX];

	return !pan_debugfs_path(dev, "shrink", path, sizeof(path));
}

/**
 * pan_has_reclaim() - Whether the driver tells what it can evict and has evicted
 * @dev: device
 *
 * Linux 7.3 has a shrinker, but without patches no such file.
 *
 * Return: true if the debugfs file is there.
 */
bool pan_has_reclaim(struct pan_dev *dev)
{
	char path[PATH_MAX];

	return !pan_debugfs_path(dev, "reclaim", path, sizeof(path));
}

/**
 * pan_shrink() - Run the driver's shrinker.
 * @dev: device
 * @pages: how many pages to scan
 * @reclaimed: how many it gave back; may be NULL
 *
 * Return: 0 or a negative errno.
 */
int pan_shrink(struct pan_dev *dev, __u64 pages, __u64 *reclaimed)
{
	char path[PATH_MAX], text[64];
	__u64 dummy;
	int ret;

	ret = pan_debugfs_path(dev, "shrink", path, sizeof(path));
	if (!ret)
		ret = pan_write_u64(path, pages);
	if (!ret)
		ret = pan_read_file(path, text, sizeof(text));
	/* decimal, or 0x%08llx in 7.3 */
	return ret < 0 ? ret : pan_parse_u64(text, 0, reclaimed ? reclaimed : &dummy);
}

static int read_all(const char *path, char **text)
{
	size_t size = 64 << 10;
	int ret;

	do {
		*text = malloc(size);
		if (!*text)
			return -ENOMEM;
		ret = pan_read_file(path, *text, size);
		if (ret >= 0)
			return 0;
		free(*text);
		*text = NULL;
		size *= 4;
	} while (ret == -EFBIG && size <= MAX_TEXT);
	return ret;
}

/**
 * pan_count_vms() - Count the VMs of a device.
 * @dev: device; may be closed
 * @count: VMs in debugfs gpuvas, the firmware's included
 *
 * Return: 0 or a negative errno.
 */
int pan_count_vms(struct pan_dev *dev, size_t *count)
{
	static const char head[] = "DRM GPU VA space (";
	char path[PATH_MAX], *text, *at;
	int ret;

	ret = pan_debugfs_path(dev, "gpuvas", path, sizeof(path));
	if (!ret)
		ret = read_all(path, &text);
	if (ret)
		return ret;
	*count = 0;
	for (at = text; (at = strstr(at, head)); at += strlen(head))
		++*count;
	free(text);
	return 0;
}

/* The first column is "comm/tgid", padded, and comm may hold anything. */
static int parse_creator(const char *line, struct pan_gem *gem)
{
	char field[CREATED_BY_LEN + 1];
	char *slash, *end;

	memcpy(field, line, CREATED_BY_LEN);
	field[CREATED_BY_LEN] = '\0';
	slash = strrchr(field, '/');
	if (!slash)
		return -EPROTO;
	gem->tgid = strtol(slash + 1, &end, 10);
	if (end == slash + 1 || end[strspn(end, " ")])
		return -EPROTO;
	*slash = '\0';
	memcpy(gem->comm, field, sizeof(gem->comm));
	gem->comm[sizeof(gem->comm) - 1] = '\0';
	return 0;
}

static int parse_gem(const char *line, struct pan_gem *gem)
{
	int n, used = 0;

	memset(gem, 0, sizeof(*gem));
	if (strlen(line) < CREATED_BY_LEN || parse_creator(line, gem))
		return -EPROTO;
	n = sscanf(line + CREATED_BY_LEN, "%llu %llu %llu %llu %llu 0x%llx 0x%x 0x%x%n",
		   &gem->name, &gem->refcount, &gem->evictions, &gem->size,
		   &gem->resident, &gem->file_offset, &gem->state, &gem->usage, &used);
	if (n != 8 || !used)
		return -EPROTO;
	line += CREATED_BY_LEN + used;
	line += strspn(line, " \t");
	snprintf(gem->label, sizeof(gem->label), "%s", line);
	return 0;
}

static int add_gem(struct pan_gems *gems, const char *line)
{
	struct pan_gem *grown;
	int ret;

	grown = realloc(gems->gems, (gems->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	gems->gems = grown;
	ret = parse_gem(line, &grown[gems->count]);
	if (!ret)
		gems->count++;
	return ret;
}

static int parse_totals(const char *line, struct pan_gems *gems)
{
	int n, used = 0;

	n = sscanf(line, "Total size: %llu, Total resident: %llu, Total reclaimable: %llu%n",
		   &gems->total, &gems->resident, &gems->reclaimable, &used);
	return n == 3 && !line[used] ? 0 : -EPROTO;
}

enum gems_part { LEGEND, TABLE, DONE };

static int parse_gems_line(const char *line, enum gems_part *part, struct pan_gems *gems)
{
	bool ruler = line[0] && line[strspn(line, "-=")] == '\0';

	if (!line[0] || ruler)
		return 0;
	if (*part == LEGEND) {
		if (!strncmp(line, "created-by", 10))
			*part = TABLE;
		return 0;
	}
	if (*part == DONE)
		return -EPROTO;
	if (strncmp(line, "Total size:", 11))
		return add_gem(gems, line);
	*part = DONE;
	return parse_totals(line, gems);
}

/**
 * pan_gems_parse() - Parse the text of debugfs gems, strictly.
 * @text: text
 * @gems: filled in, to be released with pan_gems_free()
 *
 * Return: 0, -EPROTO if anything is malformed or missing, -ENOMEM.
 */
int pan_gems_parse(const char *text, struct pan_gems *gems)
{
	enum gems_part part = LEGEND;
	char line[512];
	size_t len;
	int ret;

	memset(gems, 0, sizeof(*gems));
	for (; *text; text += len + !!text[len]) {
		len = strcspn(text, "\n");
		if (len >= sizeof(line))
			return -EPROTO;
		memcpy(line, text, len);
		line[len] = '\0';
		ret = parse_gems_line(line, &part, gems);
		if (ret)
			return ret;
	}
	return part == DONE ? 0 : -EPROTO;
}

/**
 * pan_gems_read() - Read debugfs gems.
 * @dev: device
 * @gems: filled in, to be released with pan_gems_free()
 *
 * Return: 0 or a negative errno.
 */
int pan_gems_read(struct pan_dev *dev, struct pan_gems *gems)
{
	char path[PATH_MAX];
	char *text;
	int ret;

	memset(gems, 0, sizeof(*gems));
	ret = pan_debugfs_path(dev, "gems", path, sizeof(path));
	if (!ret)
		ret = read_all(path, &text);
	if (ret)
		return ret;
	ret = pan_gems_parse(text, gems);
	free(text);
	return ret;
}

/**
 * pan_gems_free() - Release what pan_gems_read() allocated.
 * @gems: list
 */
void pan_gems_free(struct pan_gems *gems)
{
	free(gems->gems);
	memset(gems, 0, sizeof(*gems));
}

/**
 * pan_gems_find() - Find the one user buffer of a process that has some size.
 * @dev: device
 * @tgid: process
 * @size: bytes; give the buffer you look for a size of its own
 * @gem: filled in
 *
 * Return: 0, -ENOENT if there is none, -EEXIST if there are several, or
 * another negative errno.
 */
int pan_gems_find(struct pan_dev *dev, int tgid, __u64 size, struct pan_gem *gem)
{
	struct pan_gems gems;
	int ret, found = 0;
	size_t i;

	ret = pan_gems_read(dev, &gems);
	for (i = 0; !ret && i < gems.count; i++) {
		if (gems.gems[i].tgid != tgid || gems.gems[i].size != size ||
		    (gems.gems[i].usage & PAN_GEM_KERNEL))
			continue;
		*gem = gems.gems[i];
		found++;
	}
	pan_gems_free(&gems);
	if (ret)
		return ret;
	return found == 1 ? 0 : found ? -EEXIST : -ENOENT;
}

/* The number behind a name at the start of a line; @text stays as it is. */
static int find_counter(const char *text, const char *name, __u64 *value)
{
	size_t len = strlen(name);
	const char *line;

	for (line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, " \t\n");
		if (!strncmp(line, name, len) && line[len] && strchr(": \t", line[len]))
			return sscanf(line + len + strspn(line + len, ": \t"), "%llu",
				      value) == 1 ? 0 : -EPROTO;
	}
	return -ENOENT;
}

static int read_reclaim(struct pan_dev *dev, char *text, size_t len)
{
	char path[PATH_MAX];
	int ret;

	ret = pan_debugfs_path(dev, "reclaim", path, sizeof(path));
	if (!ret)
		ret = pan_read_file(path, text, len);
	return ret < 0 ? ret : 0;
}

/* What gems tells about the objects that are still there */
static int count_evictions(struct pan_dev *dev, bool pages, __u64 *value)
{
	struct pan_gems gems;
	size_t i;
	int ret = pan_gems_read(dev, &gems);

	*value = 0;
	for (i = 0; !ret && i < gems.count; i++)
		*value += gems.gems[i].evictions *
			  (pages ? gems.gems[i].size / PAN_PAGE_SIZE : 1);
	pan_gems_free(&gems);
	return ret;
}

/**
 * pan_reclaim_counter() - Read one figure of debugfs reclaim.
 * @dev: device
 * @name: name at the start of the line, followed by a colon or blanks
 * @value: the number behind it
 *
 * Without such a file, "evictions" and "evicted-pages" are sums of what gems has.
 *
 * Return: 0, -ENOENT if there is no such line, or another negative errno.
 */
int pan_reclaim_counter(struct pan_dev *dev, const char *name, __u64 *value)
{
	char text[8192];
	int ret = read_reclaim(dev, text, sizeof(text));

	if (ret == -ENOENT && !strcmp(name, "evictions"))
		return count_evictions(dev, false, value);
	if (ret == -ENOENT && !strcmp(name, "evicted-pages"))
		return count_evictions(dev, true, value);
	return ret ? ret : find_counter(text, name, value);
}

/**
 * pan_reclaim_read() - Read debugfs reclaim, at one moment.
 * @dev: device
 * @reclaim: filled in
 *
 * Return: 0, -ENOENT if the file or a line is missing, or another negative
 * errno.
 */
int pan_reclaim_read(struct pan_dev *dev, struct pan_reclaim *reclaim)
{
	const struct {
		const char *name;
		__u64 *value;
	} lines[] = {
		{ "unused", &reclaim->unused },
		{ "mmapped", &reclaim->mmapped },
		{ "gpu-mapped-vm", &reclaim->one_vm },
		{ "gpu-mapped-shared", &reclaim->shared },
		{ "reclaimable", &reclaim->reclaimable },
		{ "vms", &reclaim->vms },
		{ "evictions", &reclaim->evictions },
		{ "evicted-pages", &reclaim->evicted_pages },
		{ "restores", &reclaim->restores },
		{ "restored-pages", &reclaim->restored_pages },
	};
	char text[8192];
	size_t i;
	int ret;

	memset(reclaim, 0, sizeof(*reclaim));
	ret = read_reclaim(dev, text, sizeof(text));
	for (i = 0; !ret && i < ARRAY_SIZE(lines); i++)
		ret = find_counter(text, lines[i].name, lines[i].value);
	return ret;
}
