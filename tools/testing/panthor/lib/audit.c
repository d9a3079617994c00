// SPDX-License-Identifier: GPL-2.0
/*
 * Invariants: what the driver tells in debugfs, the model about its TLBs, and
 * every client's fdinfo have to agree whenever nothing is under way.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "pan_stat.h"
#include "pan_util.h"

#define MAX_CLIENTS	64

/* Sums over what one look at the driver shows. */
struct look {
	struct pan_reclaim reclaim;
	struct pan_gems gems;
	__u64 user_resident;
	__u64 user_evicted;
	__u64 evictions;
	struct pan_fdinfo clients[MAX_CLIENTS];
	size_t client_count;
	bool no_reclaim;	/* the driver has no such file */
	char *why;
	size_t len;
};

static int unsound(struct look *look, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(look->why, look->len, fmt, args);
	va_end(args);
	return -EUCLEAN;
}

static int audit_lists(struct look *look)
{
	const struct pan_reclaim *r = &look->reclaim;

	if (r->unused + r->mmapped + r->one_vm + r->shared != r->reclaimable)
		return unsound(look, "lists %llu + %llu + %llu + %llu, but %llu pages reclaimable",
			       r->unused, r->mmapped, r->one_vm, r->shared, r->reclaimable);
	if (!r->vms != !r->one_vm)
		return unsound(look, "%llu VMs with %llu pages", r->vms, r->one_vm);
	return 0;
}

static int audit_gem(struct look *look, const struct pan_gem *gem)
{
	bool evicted = gem->state & PAN_GEM_EVICTED;

	if (gem->resident && gem->resident != gem->size)
		return unsound(look, "%llu of %llu bytes resident", gem->resident, gem->size);
	if (evicted != (!gem->resident && gem->evictions))
		return unsound(look, "evicted %d, resident %llu, %llu evictions", evicted,
			       gem->resident, gem->evictions);
	if ((gem->state & PAN_GEM_IMPORTED) && gem->evictions)
		return unsound(look, "imported, and evicted");
	if ((gem->usage & PAN_GEM_FW_MAPPED) && gem->evictions)
		return unsound(look, "firmware's, and evicted");
	return 0;
}

static int audit_gems(struct look *look)
{
	__u64 size = 0, resident = 0;
	size_t i;
	int ret;

	for (i = 0; i < look->gems.count; i++) {
		const struct pan_gem *gem = &look->gems.gems[i];

		ret = audit_gem(look, gem);
		if (ret)
			return ret;
		size += gem->size;
		resident += gem->resident;
		look->evictions += gem->evictions;
		if (gem->usage & PAN_GEM_FW_MAPPED)
			continue;
		look->user_resident += gem->resident;
		look->user_evicted += gem->state & PAN_GEM_EVICTED ? gem->size : 0;
	}
	if (size != look->gems.total || resident != look->gems.resident)
		return unsound(look, "gems: %llu and %llu bytes, sums are %llu and %llu",
			       look->gems.total, look->gems.resident, size, resident);
	return 0;
}

static int audit_totals(struct look *look)
{
	const struct pan_reclaim *r = &look->reclaim;
	const struct pan_gems *g = &look->gems;

	if (g->reclaimable != r->reclaimable * PAN_PAGE_SIZE)
		return unsound(look, "reclaimable: %llu bytes in gems, %llu pages in reclaim",
			       g->reclaimable, r->reclaimable);
	if (g->reclaimable > look->user_resident)
		return unsound(look, "%llu bytes reclaimable, %llu resident", g->reclaimable,
			       look->user_resident);
	if (look->evictions > r->evictions || r->restores > r->evictions)
		return unsound(look, "%llu evictions counted, %llu by objects, %llu restores",
			       r->evictions, look->evictions, r->restores);
	if (look->user_evicted / PAN_PAGE_SIZE + r->restored_pages > r->evicted_pages)
		return unsound(look, "%llu pages evicted, %llu restored, but %llu are out",
			       r->evicted_pages, r->restored_pages,
			       look->user_evicted / PAN_PAGE_SIZE);
	return 0;
}

/* File descriptors that were duplicated or inherited are one client. */
static void add_client(struct look *look, const struct pan_fdinfo *info)
{
	size_t i;

	for (i = 0; i < look->client_count; i++)
		if (look->clients[i].client_id == info->client_id)
			return;
	if (i < MAX_CLIENTS)
		look->clients[look->client_count++] = *info;
}

static void add_clients_of(struct look *look, pid_t pid)
{
	char path[64], target[64];
	struct pan_fdinfo info;
	struct dirent *entry;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (strncmp(target, "/dev/dri/", 9))
			continue;
		if (!pan_fdinfo_read_pid(pid, atoi(entry->d_name), &info) &&
		    !strcmp(info.driver, "panthor"))
			add_client(look, &info);
	}
	if (dir)
		closedir(dir);
}

/* debugfs clients has a heading, then "command tgid ..." for each open file. */
static int find_clients(struct pan_dev *dev, struct look *look)
{
	char path[PATH_MAX], text[16384], *line, *save = NULL;
	pid_t pid, last = 0;
	int ret;

	ret = pan_debugfs_path(dev, "clients", path, sizeof(path));
	if (!ret)
		ret = pan_read_file(path, text, sizeof(text));
	if (ret < 0)
		return ret;
	strtok_r(text, "\n", &save);
	while ((line = strtok_r(NULL, "\n", &save))) {
		/* the command may have blanks, and takes 20 columns at least */
		if (strlen(line) < 26 || sscanf(line + 20, "%d", &pid) != 1 || pid == last)
			continue;
		add_clients_of(look, pid);
		last = pid;
	}
	return 0;
}

/*
 * 7.3 counts the firmware's share of groups as resident, and what is evicted as well: it
 * has no key for that.
 */
static bool has_driver_keys(const struct pan_fdinfo *client)
{
	return client->present & PAN_FDINFO_DRV_EVICTED;
}

/*
 * What clients share is counted by each of them. What nobody has a handle of
 * and no VM maps, such as the buffer behind a mapping whose handle was closed,
 * is counted by nobody: that is why sums may be less than what gems says.
 */
static int audit_clients(struct look *look)
{
	__u64 resident = 0, evicted = 0, shared = 0;
	size_t i;

	for (i = 0; i < look->client_count; i++) {
		const struct pan_fdinfo *c = &look->clients[i];

		if (c->resident + c->evicted > c->total || c->shared > c->total)
			return unsound(look, "client %llu: total %llu, resident %llu, evicted %llu, shared %llu",
				       c->client_id, c->total, c->resident, c->evicted, c->shared);
		resident += c->resident + (has_driver_keys(c) ? c->drv_resident : 0);
		evicted += c->evicted + c->drv_evicted;
		shared += c->shared;
	}
	if (resident > look->user_resident + shared)
		return unsound(look, "clients have %llu bytes resident, %llu of them shared, gems %llu",
			       resident, shared, look->user_resident);
	if (evicted > look->user_evicted + shared)
		return unsound(look, "clients have %llu bytes evicted, %llu of them shared, gems %llu",
			       evicted, shared, look->user_evicted);
	return 0;
}

/* With @exact, all memory belongs to a client. 7.3's fdinfo doesn't tell. */
static int audit_exactly(struct look *look)
{
	__u64 resident = 0, evicted = 0;
	size_t i;

	for (i = 0; i < look->client_count; i++) {
		if (!has_driver_keys(&look->clients[i]))
			return 0;
		resident += look->clients[i].resident + look->clients[i].drv_resident;
		evicted += look->clients[i].evicted + look->clients[i].drv_evicted;
	}
	if (resident < look->user_resident || evicted < look->user_evicted)
		return unsound(look, "clients have %llu bytes resident, %llu evicted, gems %llu and %llu",
			       resident, evicted, look->user_resident, look->user_evicted);
	return 0;
}

static int audit_tlb(struct look *look)
{
	char text[4096];

	if (pan_model_present() && pan_model_tlb_audit(text, sizeof(text)) != 0)
		return unsound(look, "stale TLB entries: %.80s", text);
	return 0;
}

static int take_look(struct pan_dev *dev, struct look *look)
{
	struct pan_reclaim again;
	int ret = 0;

	look->no_reclaim = pan_has_shrink(dev) && !pan_has_reclaim(dev);
	if (!look->no_reclaim)
		ret = pan_reclaim_read(dev, &look->reclaim);
	if (!ret)
		ret = pan_gems_read(dev, &look->gems);
	if (ret)
		return ret;
	ret = find_clients(dev, look);
	if (look->no_reclaim)
		return ret;
	if (!ret)
		ret = pan_reclaim_read(dev, &again);
	if (!ret && memcmp(&again, &look->reclaim, sizeof(again)))
		return unsound(look, "does not stand still");
	return ret;
}

static int audit_all(struct look *look, bool exact)
{
	int ret;

	ret = look->no_reclaim ? 0 : audit_lists(look);
	if (!ret)
		ret = audit_gems(look);
	if (!ret && !look->no_reclaim)
		ret = audit_totals(look);
	if (!ret)
		ret = audit_clients(look);
	if (!ret && exact)
		ret = audit_exactly(look);
	return ret ? ret : audit_tlb(look);
}

struct audit_goal {
	struct pan_dev *dev;
	bool exact;
	char *why;
	size_t len;
};

static int audit_step(void *arg)
{
	struct audit_goal *goal = arg;
	struct look look = { .why = goal->why, .len = goal->len };
	int ret;

	ret = take_look(goal->dev, &look);
	if (!ret)
		ret = audit_all(&look, goal->exact);
	pan_gems_free(&look.gems);
	return ret == -EUCLEAN ? 0 : ret ? ret : 1;
}

/**
 * pan_audit() - Check the invariants.
 * @dev: device; may be closed
 * @exact: all memory belongs to a handle or a VM of some client: nobody closed
 *	   the handle of a buffer that only the CPU maps, or destroyed a VM that
 *	   a group still uses
 * @why: gets what was wrong last
 * @len: size of @why
 *
 * Work that was given to threads may still be under way, so that there is a
 * deadline for everything to come to agree.
 *
 * If the driver doesn't tell what is in its lists, as 7.3 without patches, the rest is checked.
 *
 * Return: 0, -ETIME if something is wrong, -ENOENT if the driver tells nothing
 * (the unpatched one), or another negative errno.
 */
int pan_audit(struct pan_dev *dev, bool exact, char *why, size_t len)
{
	struct audit_goal goal = { .dev = dev, .exact = exact, .why = why, .len = len };

	*why = '\0';
	return pan_poll(audit_step, &goal, PAN_DEADLINE_MS);
}

/* Each open file has one in 7.3, for sparse mappings */
static bool has_dummies(void)
{
	struct utsname name;

	return !uname(&name) && atoi(name.release) >= 7;
}

static bool is_dummy(const struct pan_gem *gem)
{
	return gem->size == PAN_SZ_2M && !gem->usage && !gem->state && !gem->evictions &&
	       !gem->label[0];
}

static int no_buffers(struct audit_goal *goal)
{
	bool dummies = has_dummies();
	struct pan_gems gems;
	size_t i, left = 0;
	int ret;

	ret = pan_gems_read(goal->dev, &gems);
	for (i = 0; !ret && i < gems.count; i++) {
		const struct pan_gem *gem = &gems.gems[i];

		if ((gem->usage & PAN_GEM_FW_MAPPED) || (dummies && is_dummy(gem)))
			continue;
		left++;
		snprintf(goal->why, goal->len, "%zu left, such as %s/%d's of %llu bytes (%s), state %#x, refcount %llu",
			 left, gem->comm, gem->tgid, gem->size,
			 gem->label[0] ? gem->label : "no label", gem->state, gem->refcount);
	}
	pan_gems_free(&gems);
	return ret ? ret : !left;
}

static int no_vms(struct audit_goal *goal)
{
	size_t count = 0;
	int ret = pan_count_vms(goal->dev, &count);

	/* A VM that is being freed is still listed when it has no name any more. */
	if (ret == -ENODEV)
		return 0;
	if (!ret && count > 1)
		snprintf(goal->why, goal->len, "%zu VMs left", count - 1);
	return ret ? ret : count <= 1;
}

static int empty_step(void *arg)
{
	int ret = no_buffers(arg);

	return ret <= 0 ? ret : no_vms(arg);
}

/**
 * pan_audit_empty() - Check that no buffer and no VM is left but the firmware's.
 * @dev: device; may be closed
 * @why: gets what is left
 * @len: size of @why
 *
 * Return: as pan_audit().
 */
int pan_audit_empty(struct pan_dev *dev, char *why, size_t len)
{
	struct audit_goal goal = { .dev = dev, .why = why, .len = len };

	*why = '\0';
	return pan_poll(empty_step, &goal, PAN_DEADLINE_MS);
}
