// SPDX-License-Identifier: GPL-2.0 or MIT

/* For how long clients have been making use of the GPU, which is what monitors ask for. */

#include <linux/slab.h>

#include "panthor_busy.h"
#include "panthor_kunit.h"

/**
 * DOC: Time on the GPU
 *
 * A client is using the GPU while at least one of its groups is on a slot, and has a job
 * that isn't done. This is what the scheduler knows without asking the GPU. It includes
 * the time a job on a slot waits for others, and what it takes to notice that it's done.
 * It doesn't include the time a group waits for a slot. Several groups of the same client
 * that execute at the same time count once, so it's never more than the time that passed.
 */

/**
 * panthor_busy_create() - Start to account for a client
 *
 * Return: What to pass to the other functions, until panthor_busy_put() is called, NULL
 * if there's no memory.
 */
struct panthor_busy *panthor_busy_create(void)
{
	struct panthor_busy *busy = kzalloc(sizeof(*busy), GFP_KERNEL);

	if (!busy)
		return NULL;

	kref_init(&busy->refcount);
	spin_lock_init(&busy->lock);
	return busy;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_busy_create);

static void panthor_busy_release(struct kref *kref)
{
	kfree(container_of(kref, struct panthor_busy, refcount));
}

/**
 * panthor_busy_put() - Drop a reference to a client
 * @busy: Client. Can be NULL.
 *
 * Context: Any.
 */
void panthor_busy_put(struct panthor_busy *busy)
{
	if (busy)
		kref_put(&busy->refcount, panthor_busy_release);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_busy_put);

VISIBLE_IF_KUNIT ktime_t panthor_busy_now(void)
{
	KUNIT_STATIC_STUB_REDIRECT(panthor_busy_now);

	return ktime_get();
}
EXPORT_SYMBOL_IF_KUNIT(panthor_busy_now);

/* Called before anything changes. */
static void panthor_busy_advance_locked(struct panthor_busy *busy)
{
	ktime_t now = panthor_busy_now();

	if (busy->groups)
		busy->ns += ktime_to_ns(ktime_sub(now, busy->since));

	busy->since = now;
}

/**
 * panthor_busy_ns() - Tell for how long a client has been using the GPU
 * @busy: Client.
 *
 * Context: Process context. Takes a spinlock that's never held for long.
 *
 * Return: The time, in nanoseconds. It never goes backwards.
 */
u64 panthor_busy_ns(struct panthor_busy *busy)
{
	u64 ns;

	spin_lock(&busy->lock);
	panthor_busy_advance_locked(busy);
	ns = busy->ns;
	spin_unlock(&busy->lock);

	return ns;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_busy_ns);

/**
 * panthor_busy_group_init() - Add a group to a client
 * @group: Group, which has neither a slot nor a job.
 * @busy: Client.
 */
void panthor_busy_group_init(struct panthor_busy_group *group, struct panthor_busy *busy)
{
	kref_get(&busy->refcount);
	*group = (struct panthor_busy_group){ .busy = busy };
}
EXPORT_SYMBOL_IF_KUNIT(panthor_busy_group_init);

static bool panthor_busy_group_counts(struct panthor_busy_group *group)
{
	return group->on_slot && group->jobs;
}

/* Called after a group changed. */
static void panthor_busy_update_locked(struct panthor_busy_group *group, bool counted)
{
	struct panthor_busy *busy = group->busy;
	bool counts = panthor_busy_group_counts(group);

	if (counts == counted)
		return;

	panthor_busy_advance_locked(busy);
	busy->groups += counts ? 1 : -1;
}

/**
 * panthor_busy_group_fini() - Remove a group from its client
 * @group: Group, zeroed if it wasn't added. It can still have a slot, or jobs.
 */
void panthor_busy_group_fini(struct panthor_busy_group *group)
{
	if (!group->busy)
		return;

	panthor_busy_group_on_slot(group, false);
	panthor_busy_put(group->busy);
	group->busy = NULL;
}
EXPORT_SYMBOL_IF_KUNIT(panthor_busy_group_fini);

/**
 * panthor_busy_group_on_slot() - Tell that a group got a slot, or lost it
 * @group: Group.
 * @on_slot: True if it has a slot from now on.
 *
 * Context: Process context, including DMA signalling paths. Doesn't sleep.
 */
void panthor_busy_group_on_slot(struct panthor_busy_group *group, bool on_slot)
{
	bool counted;

	spin_lock(&group->busy->lock);
	counted = panthor_busy_group_counts(group);
	group->on_slot = on_slot;
	panthor_busy_update_locked(group, counted);
	spin_unlock(&group->busy->lock);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_busy_group_on_slot);

/**
 * panthor_busy_group_add_jobs() - Tell that a group got jobs, or that they are done
 * @group: Group.
 * @jobs: Number of jobs, negative if they are done.
 *
 * Context: Process context, including DMA signalling paths. Doesn't sleep.
 */
void panthor_busy_group_add_jobs(struct panthor_busy_group *group, int jobs)
{
	bool counted;

	spin_lock(&group->busy->lock);
	counted = panthor_busy_group_counts(group);
	group->jobs += jobs;
	panthor_busy_update_locked(group, counted);
	spin_unlock(&group->busy->lock);
}
EXPORT_SYMBOL_IF_KUNIT(panthor_busy_group_add_jobs);
