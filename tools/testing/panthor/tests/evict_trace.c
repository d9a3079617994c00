// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints fire when what they are about happens, say what debugfs counts, if
 * there's something that counts, and agree with what was done. Case 16.
 */
#include "evict.h"

#define PAGES	107ULL
#define SIZE	(PAGES * PAN_PAGE_SIZE)

FIXTURE(evict_trace) {
	struct pan_env env;
	struct pan_ctx ctx;
	struct pan_bo bo;
	char *text;
};

FIXTURE_SETUP(evict_trace)
{
	EVICT_SETUP(self);
	ASSERT_EQ(0, pan_bo_create(&self->env.dev, SIZE, 0, NULL, &self->bo));
	ASSERT_EQ(0, pan_bo_mmap(&self->bo));
	pan_fill(self->bo.map, SIZE, 1);
	/* The VM of the context has buffers of its own: out of the way. */
	EVICT(&self->ctx.streams);
	EXPECT_CPU_SEES(&self->bo, 1);
}

FIXTURE_TEARDOWN(evict_trace)
{
	EXPECT_EQ(0, pan_trace_stop(NULL));
	free(self->text);
	EXPECT_EQ(0, pan_model_knob_set("pause", "0"));
	EXPECT_EQ(0, pan_bo_close(&self->bo));
	EXPECT_EQ(0, pan_ctx_destroy(&self->ctx));
	PAN_ENV_TEARDOWN(&self->env);
}

/* Number of events, and the sum of one of their values. */
static __u64 count_events(const char *text, const char *event, const char *key, __u64 *sum)
{
	__u64 count = 0, value;

	for (*sum = 0; (text = pan_trace_next(text, event)); count++)
		if (!pan_trace_value(text, key, &value))
			*sum += value;
	return count;
}

/* A line of debugfs reclaim that has to grow by the number of events. */
#define COUNTER(self, name) ({							\
	__u64 __value = 0;							\
										\
	if (pan_has_reclaim(&(self)->env.dev))					\
		EXPECT_EQ(0, pan_reclaim_counter(&(self)->env.dev, name, &__value)); \
	__value;								\
})

#define EXPECT_COUNTED(self, expected, name, before) do {			\
	if (pan_has_reclaim(&(self)->env.dev))					\
		EXPECT_EQ(expected, COUNTER(self, name) - (before));		\
} while (0)

#define TRACE(self) do {							\
	ASSERT_EQ(0, pan_trace_stop(&(self)->text));				\
	ASSERT_NE(NULL, strstr((self)->text, "# tracer"));			\
} while (0)

TEST_F(evict_trace, evict_and_restore)
{
	__u64 evictions = COUNTER(self, "evictions"), evicted = COUNTER(self, "evicted-pages");
	__u64 restores = COUNTER(self, "restores");
	__u64 pages = 0, sum, value;
	const char *event;
	struct pan_gem gem;

	ASSERT_EQ(0, pan_trace_start());
	ASSERT_EQ(0, pan_shrink(&self->env.dev, PAGES, &pages));
	ASSERT_EQ(PAGES, pages);
	EXPECT_CPU_SEES(&self->bo, 1);
	TRACE(self);

	EXPECT_EQ(1, count_events(self->text, "gem_evict", "nr_pages", &sum));
	EXPECT_EQ(PAGES, sum);
	EXPECT_COUNTED(self, 1, "evictions", evictions);
	EXPECT_COUNTED(self, PAGES, "evicted-pages", evicted);
	event = pan_trace_next(self->text, "gem_evict");
	ASSERT_NE(NULL, event);
	EXPECT_EQ(0, strncmp(event, pan_device_name(&self->env.dev),
			     strlen(pan_device_name(&self->env.dev))));
	EXPECT_NE(NULL, strstr(event, "state=mmapped"));
	ASSERT_EQ(0, pan_trace_value(event, "count", &value));
	ASSERT_EQ(0, evict_gem(&self->bo, &gem));
	EXPECT_EQ(gem.evictions, value);

	EXPECT_EQ(1, count_events(self->text, "gem_restore", "nr_pages", &sum));
	EXPECT_EQ(PAGES, sum);
	EXPECT_COUNTED(self, 1, "restores", restores);
	EXPECT_LT(event, pan_trace_next(self->text, "gem_restore"));
}

/* One event for each scan: what was asked for, and where it came from. */
TEST_F(evict_trace, scan)
{
	__u64 asked = 0, unused = ~0ULL, mmapped = 0, vms = ~0ULL, shared = ~0ULL, sum;
	const char *event;

	ASSERT_EQ(0, pan_trace_start());
	ASSERT_EQ(0, pan_shrink(&self->env.dev, 3, NULL));
	TRACE(self);
	EXPECT_EQ(1, count_events(self->text, "gem_reclaim_scan", "nr_to_scan", &sum));
	event = pan_trace_next(self->text, "gem_reclaim_scan");
	ASSERT_NE(NULL, event);
	EXPECT_EQ(0, pan_trace_value(event, "nr_to_scan", &asked));
	EXPECT_EQ(0, pan_trace_value(event, "unused", &unused));
	EXPECT_EQ(0, pan_trace_value(event, "mmapped", &mmapped));
	EXPECT_EQ(0, pan_trace_value(event, "vms", &vms));
	EXPECT_EQ(0, pan_trace_value(event, "shared", &shared));
	EXPECT_EQ(3, asked);
	EXPECT_EQ(PAGES, mmapped);
	EXPECT_EQ(0, unused + vms + shared);
	/* It's the end of the scan that is told. */
	EXPECT_LT(pan_trace_next(self->text, "gem_evict"), event);
}

/* The same by stage: a buffer of a VM. */
TEST_F(evict_trace, scan_of_a_vm)
{
	__u64 vms = 0, mmapped = ~0ULL;
	const char *event;

	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, 0x40000000, SIZE, 0));
	ASSERT_EQ(0, pan_trace_start());
	ASSERT_EQ(0, pan_shrink(&self->env.dev, 3, NULL));
	TRACE(self);
	event = pan_trace_next(self->text, "gem_evict");
	ASSERT_NE(NULL, event);
	EXPECT_NE(NULL, strstr(event, "state=gpu-mapped-vm"));
	event = pan_trace_next(self->text, "gem_reclaim_scan");
	ASSERT_NE(NULL, event);
	EXPECT_EQ(0, pan_trace_value(event, "vms", &vms));
	EXPECT_EQ(0, pan_trace_value(event, "mmapped", &mmapped));
	EXPECT_EQ(PAGES, vms);
	EXPECT_EQ(0, mmapped);
}

/* A scan that finds a busy VM tells why it left it alone. */
TEST_F(evict_trace, skip)
{
	__u64 before, pages = 0;
	const char *event;
	struct pan_cs cs;

	ASSERT_EQ(0, pan_vm_map(&self->ctx.vm, &self->bo, 0, 0x40000000, SIZE, 0));
	ASSERT_EQ(0, pan_model_knob_set("pause", "1"));
	pan_cs_init(&cs);
	pan_cs_emit(&cs, csf_nop());
	ASSERT_EQ(0, pan_ctx_start(&self->ctx, 0, &cs));
	before = COUNTER(self, "skipped-active");
	ASSERT_EQ(0, pan_trace_start());
	ASSERT_EQ(0, pan_shrink(&self->env.dev, EVERYTHING, NULL));
	TRACE(self);
	if (pan_has_reclaim(&self->env.dev))
		EXPECT_LT(before, COUNTER(self, "skipped-active"));
	EXPECT_EQ(NULL, pan_trace_next(self->text, "gem_evict"));
	event = pan_trace_next(self->text, "gem_reclaim_skip");
	while (event && strncmp(strchr(event, ' '), " reason=active", 14))
		event = pan_trace_next(event, "gem_reclaim_skip");
	ASSERT_NE(NULL, event);
	EXPECT_EQ(0, pan_trace_value(event, "nr_pages", &pages));
	EXPECT_LE(PAGES, pages);
	ASSERT_EQ(0, pan_model_knob_set("pause", "0"));
	EXPECT_EQ(0, pan_ctx_wait(&self->ctx, PAN_DEADLINE_MS));
}

TEST_HARNESS_MAIN
