// SPDX-License-Identifier: GPL-2.0
/*
 * A strict parser of the DRM keys in /proc/PID/fdinfo/N: a key that we know
 * must have the documented form, and there must be one of it.
 * Documentation/gpu/drm-usage-stats.rst is the reference.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pan_stat.h"
#include "pan_util.h"

enum value_kind { KIND_SIZE, KIND_NUMBER, KIND_NAME, KIND_TIME };

struct fdinfo_key {
	const char *name;
	enum value_kind kind;
	__u32 bit;
	size_t offset;
};

#define KEY(name, kind, bit, field) \
	{ name, kind, bit, offsetof(struct pan_fdinfo, field) }

static const struct fdinfo_key keys[] = {
	KEY("drm-driver", KIND_NAME, PAN_FDINFO_DRIVER, driver),
	KEY("drm-client-id", KIND_NUMBER, PAN_FDINFO_CLIENT, client_id),
	KEY("drm-total-memory", KIND_SIZE, PAN_FDINFO_TOTAL, total),
	KEY("drm-shared-memory", KIND_SIZE, PAN_FDINFO_SHARED, shared),
	KEY("drm-active-memory", KIND_SIZE, PAN_FDINFO_ACTIVE, active),
	KEY("drm-resident-memory", KIND_SIZE, PAN_FDINFO_RESIDENT, resident),
	KEY("drm-purgeable-memory", KIND_SIZE, PAN_FDINFO_PURGEABLE, purgeable),
	KEY("drm-evicted-memory", KIND_SIZE, PAN_FDINFO_EVICTED, evicted),
	KEY("panthor-resident-memory", KIND_SIZE, PAN_FDINFO_DRV_RESIDENT, drv_resident),
	KEY("panthor-evicted-memory", KIND_SIZE, PAN_FDINFO_DRV_EVICTED, drv_evicted),
	KEY("drm-engine-panthor", KIND_TIME, PAN_FDINFO_ENGINE, engine),
};

/* "<uint>", "<uint> KiB" or "<uint> MiB" */
static int parse_size(const char *text, __u64 *bytes)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EPROTO;
	*bytes = strtoull(text, &end, 10);
	if (!*end)
		return 0;
	if (!strcmp(end, " KiB"))
		*bytes <<= 10;
	else if (!strcmp(end, " MiB"))
		*bytes <<= 20;
	else
		return -EPROTO;
	return 0;
}

/* "<uint> ns" */
static int parse_time(const char *text, __u64 *ns)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EPROTO;
	*ns = strtoull(text, &end, 10);
	return strcmp(end, " ns") ? -EPROTO : 0;
}

static int parse_value(const struct fdinfo_key *key, const char *text, struct pan_fdinfo *info)
{
	void *field = (char *)info + key->offset;

	switch (key->kind) {
	case KIND_SIZE:
		return parse_size(text, field);
	case KIND_NUMBER:
		return pan_parse_u64(text, 10, field) ? -EPROTO : 0;
	case KIND_NAME:
		snprintf(field, sizeof(info->driver), "%s", text);
		return *text ? 0 : -EPROTO;
	case KIND_TIME:
		return parse_time(text, field);
	}
	return -EPROTO;
}

static const struct fdinfo_key *find_key(const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == len && !strncmp(keys[i].name, line, len))
			return &keys[i];
	return NULL;
}

static int parse_line(const char *line, struct pan_fdinfo *info)
{
	const char *colon = strchr(line, ':');
	const struct fdinfo_key *key;

	if (!colon)
		return -EPROTO;
	key = find_key(line, colon - line);
	if (!key)
		return 0;
	if (info->present & key->bit)
		return -EPROTO;
	info->present |= key->bit;
	colon++;
	return parse_value(key, colon + strspn(colon, " \t"), info);
}

/**
 * pan_fdinfo_parse() - Parse the text of an fdinfo file.
 * @text: text
 * @info: filled in; keys that are absent read 0 and are not in @present
 *
 * Return: 0, -EPROTO if a line is malformed or a key appears twice.
 */
int pan_fdinfo_parse(const char *text, struct pan_fdinfo *info)
{
	char line[256];
	size_t len;
	int ret;

	memset(info, 0, sizeof(*info));
	for (; *text; text += len + 1) {
		len = strcspn(text, "\n");
		if (!text[len] || len >= sizeof(line))
			return -EPROTO;
		memcpy(line, text, len);
		line[len] = '\0';
		ret = parse_line(line, info);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * pan_fdinfo_read_pid() - Read the keys of some process's file.
 * @pid: process
 * @fd: its file descriptor
 * @info: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_fdinfo_read_pid(pid_t pid, int fd, struct pan_fdinfo *info)
{
	char path[64], text[4096];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	ret = pan_read_file(path, text, sizeof(text));
	return ret < 0 ? ret : pan_fdinfo_parse(text, info);
}

/**
 * pan_fdinfo_read() - Read the keys of an open device.
 * @dev: device
 * @info: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_fdinfo_read(struct pan_dev *dev, struct pan_fdinfo *info)
{
	return pan_fdinfo_read_pid(getpid(), dev->fd, info);
}
