// SPDX-License-Identifier: GPL-2.0
/*
 * Firmware of the software Mali CSF GPU, group slots: requests and events of the
 * group interfaces, suspend buffers, and the scheduling of command streams.
 *
 * Handshakes: the host requests by making a bit of REQ differ from ACK, the
 * firmware answers by copying it. Events go the other way: the firmware flips
 * a bit of ACK, the host copies it to REQ. A bit that already differs is an
 * event that the host has not seen yet: flipping it again would cancel it, so
 * the next one waits.
 */
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "fw_iface.h"
#include "model.h"

#define SUSPEND_MAGIC		0x4d414c4953555350ULL	/* "MALISUSP" */

/**
 * struct suspend_header - begin of a suspend buffer; the streams' states follow
 * @magic: %SUSPEND_MAGIC
 * @generation: counts all images ever written
 * @started: bit mask of the streams that were started
 * @checksum: of @generation, @started and the states
 */
struct suspend_header {
	u64 magic;
	u64 generation;
	u64 started;
	u64 checksum;
};

static_assert(sizeof(struct suspend_header) +
	      CSF_NUM_STREAMS * sizeof(struct csf_cs_state) <= FW_SUSPEND_SIZE);
static_assert(sizeof(struct csf_cs_state) % sizeof(u64) == 0);

static unsigned int csg_nr(const struct csf_model *m, const struct csf_csg *g)
{
	return g - m->csg;
}

/*
 * Events
 */

static void flush_csg_events(struct csf_model *m, struct csf_csg *g)
{
	unsigned int i = csg_nr(m, g);
	u32 req, ack, ready;

	if (!g->events)
		return;
	req = csf_fw_read32(m, FW_CSG_IN(i) + CSG_REQ);
	ack = csf_fw_read32(m, FW_CSG_OUT(i) + CSG_ACK);
	ready = g->events & ~(req ^ ack);
	if (!ready)
		return;
	g->events &= ~ready;
	csf_fw_write32(m, FW_CSG_OUT(i) + CSG_ACK, ack ^ ready);
	if (ready & csf_fw_read32(m, FW_CSG_IN(i) + CSG_ACK_IRQ_MASK))
		csf_irq_raise(m, CSF_JOB, BIT(i));
}

/**
 * csf_csg_raise() - raise an event of a group
 * @m: GPU, locked
 * @g: group slot
 * @event: bit of CSG_ACK
 */
void csf_csg_raise(struct csf_model *m, struct csf_csg *g, u32 event)
{
	g->events |= event;
	flush_csg_events(m, g);
}

/**
 * csf_csg_retry_events() - raise events that had to wait for the host
 * @m: GPU, locked
 *
 * Return: true if some still have to.
 */
bool csf_csg_retry_events(struct csf_model *m)
{
	bool left = false;
	unsigned int i, j;

	for (i = 0; i < CSF_NUM_CSGS; i++) {
		struct csf_csg *g = &m->csg[i];

		flush_csg_events(m, g);
		left |= g->events;
		for (j = 0; j < CSF_NUM_STREAMS; j++) {
			csf_stream_flush_events(&g->streams[j]);
			left |= g->streams[j].events;
		}
	}
	return left;
}

static bool group_idle(const struct csf_csg *g)
{
	bool any = false;
	unsigned int j;

	for (j = 0; j < CSF_NUM_STREAMS; j++) {
		if (!g->streams[j].started)
			continue;
		if (!csf_stream_idle(&g->streams[j]))
			return false;
		any = true;
	}
	return any;
}

static void update_idle(struct csf_model *m, struct csf_csg *g)
{
	bool idle = g->active && group_idle(g);

	if (idle && !g->idle)
		csf_csg_raise(m, g, CSG_EV_IDLE);
	g->idle = idle;
}

static void write_status(struct csf_model *m, struct csf_csg *g)
{
	bool idle = group_idle(g);
	unsigned int j;

	for (j = 0; j < CSF_NUM_STREAMS; j++) {
		struct csf_stream *s = &g->streams[j];

		if (!s->started)
			continue;
		csf_stream_write_status(s);
		if (s->last != CSF_CS_SYNC_WAIT && csf_stream_more_work(s))
			idle = false;
	}
	csf_fw_write32(m, FW_CSG_OUT(csg_nr(m, g)) + CSG_STATUS_STATE, idle ? CSG_STATE_IDLE : 0);
}

/*
 * Suspend buffers. Their contents are the firmware's own affair: a magic, a
 * generation and a checksum show whether anything happened to them meanwhile.
 */

static u64 checksum(u64 sum, const void *data, size_t len)
{
	const u64 *word = data;

	for (; len; len -= sizeof(*word))
		sum = csf_sum_step(sum, *word++);
	return sum;
}

static u64 header_checksum(const struct suspend_header *h)
{
	return csf_sum_step(csf_sum_step(SUSPEND_MAGIC, h->generation), h->started);
}

static struct csf_suspend_buf *find_suspend_buf(struct csf_model *m, u64 va)
{
	unsigned int i;

	for (i = 0; i < CSF_NUM_SUSPEND_BUFS; i++)
		if (m->suspend_bufs[i].va == va)
			return &m->suspend_bufs[i];
	return NULL;
}

static void remember_generation(struct csf_model *m, u64 va, u64 generation)
{
	struct csf_suspend_buf *buf = find_suspend_buf(m, va);

	if (!buf) {
		buf = &m->suspend_bufs[m->suspend_next];
		m->suspend_next = (m->suspend_next + 1) % CSF_NUM_SUSPEND_BUFS;
	}
	*buf = (struct csf_suspend_buf){ .va = va, .generation = generation };
}

static void save_group(struct csf_model *m, struct csf_csg *g, u64 va)
{
	struct suspend_header h = {
		.magic = SUSPEND_MAGIC,
		.generation = ++m->suspend_generation,
	};
	u64 pos = va + sizeof(h);
	unsigned int j;

	for (j = 0; j < CSF_NUM_STREAMS; j++)
		if (g->streams[j].started)
			h.started |= BIT(j);
	h.checksum = header_checksum(&h);
	for (j = 0; j < CSF_NUM_STREAMS; j++) {
		struct csf_cs_state *state = &g->streams[j].cs.state;

		h.checksum = checksum(h.checksum, state, sizeof(*state));
		csf_fw_access(m, pos, state, sizeof(*state), CSF_ACCESS_WRITE);
		pos += sizeof(*state);
	}
	csf_fw_access(m, va, &h, sizeof(h), CSF_ACCESS_WRITE);
	remember_generation(m, va, h.generation);
}

static bool header_valid(struct csf_model *m, const struct suspend_header *h, u64 va)
{
	const struct csf_suspend_buf *buf = find_suspend_buf(m, va);

	if (h->magic != SUSPEND_MAGIC) {
		csf_bug(m, CSF_BUG_SUSPEND_BUF, "suspend buffer 0x%llx has no image", va);
		return false;
	}
	if (buf && buf->generation != h->generation) {
		csf_bug(m, CSF_BUG_SUSPEND_BUF, "suspend buffer 0x%llx has image %llu, not %llu",
			va, h->generation, buf->generation);
		return false;
	}
	return true;
}

/* False if the image isn't what was written */
static bool load_group(struct csf_model *m, struct csf_csg *g, u64 va)
{
	struct suspend_header h = {};
	u64 pos = va + sizeof(h), sum;
	unsigned int j;

	csf_fw_access(m, va, &h, sizeof(h), CSF_ACCESS_READ);
	if (!header_valid(m, &h, va))
		return false;
	sum = header_checksum(&h);
	for (j = 0; j < CSF_NUM_STREAMS; j++) {
		csf_fw_access(m, pos, &m->scratch, sizeof(m->scratch), CSF_ACCESS_READ);
		sum = checksum(sum, &m->scratch, sizeof(m->scratch));
		if (h.started & BIT(j)) {
			csf_cs_restore(&g->streams[j].cs, &m->scratch);
			g->streams[j].restored = true;
		}
		pos += sizeof(m->scratch);
	}
	if (sum == h.checksum)
		return true;
	csf_bug(m, CSF_BUG_SUSPEND_BUF, "suspend buffer 0x%llx: wrong checksum", va);
	return false;
}

/*
 * Groups
 */

static void clear_group(struct csf_model *m, struct csf_csg *g)
{
	unsigned int j;

	g->active = false;
	g->idle = false;
	g->checked = false;
	g->events = 0;
	for (j = 0; j < CSF_NUM_STREAMS; j++)
		csf_stream_clear(m, csg_nr(m, g), j);
}

/*
 * A driver unmaps an AS that had a fault, to kill the groups in it. It can't know
 * then which one it is about to start.
 */
static void check_group_as(struct csf_model *m, struct csf_csg *g)
{
	const struct csf_as *as = &m->as[g->as];

	g->checked = true;
	g->transtab = as->transtab;
	if (g->as && (m->variant->as_present & BIT(g->as)) &&
	    (csf_as_mode(as) == AS_MODE_AARCH64_4K || as->faulted))
		return;
	csf_bug(m, CSF_BUG_CSG_AS, "CSG%u: started in AS%u, TRANSCFG 0x%llx",
		csg_nr(m, g), g->as, as->transcfg);
}

static void read_endpoint(struct csf_model *m, struct csf_csg *g)
{
	unsigned int i = csg_nr(m, g);
	u32 ep = csf_fw_read32(m, FW_CSG_IN(i) + CSG_ENDPOINT_REQ);

	g->priority = ep >> 28;
	csf_fw_write32(m, FW_CSG_OUT(i) + CSG_STATUS_EP_REQ, ep);
	csf_fw_write32(m, FW_CSG_OUT(i) + CSG_STATUS_EP_CURRENT, ep);
}

static void start_group(struct csf_model *m, struct csf_csg *g, bool resume)
{
	unsigned int i = csg_nr(m, g);
	bool corrupt = false;
	unsigned int j;

	if (g->active)
		csf_bug(m, CSF_BUG_CSG_STATE, "CSG%u: started while a group is resident", i);
	clear_group(m, g);
	g->as = csf_fw_read32(m, FW_CSG_IN(i) + CSG_CONFIG) & 0xf;
	read_endpoint(m, g);
	if (resume)
		corrupt = !load_group(m, g, csf_fw_read64(m, FW_CSG_IN(i) + CSG_SUSPEND_BUF));
	for (j = 0; j < CSF_NUM_STREAMS; j++) {
		g->streams[j].corrupt = corrupt;
		csf_stream_stopped(&g->streams[j]);
	}
	g->active = true;
	m->stat[resume ? CSF_STAT_CSG_RESUME : CSF_STAT_CSG_START]++;
}

static void suspend_group(struct csf_model *m, struct csf_csg *g)
{
	write_status(m, g);
	save_group(m, g, csf_fw_read64(m, FW_CSG_IN(csg_nr(m, g)) + CSG_SUSPEND_BUF));
	clear_group(m, g);
	m->stat[CSF_STAT_CSG_SUSPEND]++;
}

static void terminate_group(struct csf_model *m, struct csf_csg *g)
{
	if (g->active)
		m->stat[CSF_STAT_CSG_TERMINATE]++;
	clear_group(m, g);
}

/* Returns false if the firmware ignores the request */
static bool change_group_state(struct csf_model *m, struct csf_csg *g, u32 state)
{
	switch (state) {
	case CSG_TERMINATE:
		terminate_group(m, g);
		return true;
	case CSG_START:
	case CSG_RESUME:
		start_group(m, g, state == CSG_RESUME);
		return true;
	case CSG_SUSPEND:
		if (!g->active)
			break;
		suspend_group(m, g);
		return true;
	}
	csf_bug(m, CSF_BUG_REQ_IGNORED, "CSG%u: state %u requested while %s",
		csg_nr(m, g), state, g->active ? "resident" : "not resident");
	return false;
}

/* Bits of ACK to be copied from REQ; whatever they promise is in memory by then */
static u32 serve_group_requests(struct csf_model *m, struct csf_csg *g, u32 req, u32 pending)
{
	u32 done = 0;

	if ((pending & CSG_REQ_STATE) && change_group_state(m, g, req & CSG_REQ_STATE))
		done |= CSG_REQ_STATE;
	if (pending & CSG_REQ_EP_CONFIG) {
		read_endpoint(m, g);
		done |= CSG_REQ_EP_CONFIG;
	}
	if (pending & CSG_REQ_STATUS_UPDATE) {
		write_status(m, g);
		done |= CSG_REQ_STATUS_UPDATE;
	}
	return done;
}

static void group_requests(struct csf_model *m, struct csf_csg *g)
{
	unsigned int i = csg_nr(m, g);
	u32 known = CSG_REQ_STATE | CSG_REQ_EP_CONFIG | CSG_REQ_STATUS_UPDATE | CSG_REQ_EVENTS;
	u32 req = csf_fw_read32(m, FW_CSG_IN(i) + CSG_REQ);
	u32 ack = csf_fw_read32(m, FW_CSG_OUT(i) + CSG_ACK);
	u32 done;

	if ((req ^ ack) & ~known)
		csf_bug(m, CSF_BUG_REQ_IGNORED, "CSG%u: CSG_REQ 0x%x, CSG_ACK 0x%x", i, req, ack);
	done = serve_group_requests(m, g, req, req ^ ack);
	if (!done)
		return;
	/* events may have changed it meanwhile */
	ack = csf_fw_read32(m, FW_CSG_OUT(i) + CSG_ACK);
	csf_fw_write32(m, FW_CSG_OUT(i) + CSG_ACK, (ack & ~done) | (req & done));
	if (done & csf_fw_read32(m, FW_CSG_IN(i) + CSG_ACK_IRQ_MASK))
		csf_irq_raise(m, CSF_JOB, BIT(i));
}

static void stream_doorbells(struct csf_model *m, struct csf_csg *g)
{
	unsigned int i = csg_nr(m, g), j;
	u32 req = csf_fw_read32(m, FW_CSG_IN(i) + CSG_DOORBELL_REQ);
	u32 ack = csf_fw_read32(m, FW_CSG_OUT(i) + CSG_DOORBELL_ACK);

	if (req == ack)
		return;
	csf_fw_write32(m, FW_CSG_OUT(i) + CSG_DOORBELL_ACK, req);
	for (j = 0; j < CSF_NUM_STREAMS && g->active; j++)
		if ((req ^ ack) & BIT(j))
			csf_stream_doorbell(&g->streams[j]);
}

/**
 * csf_csg_doorbell() - the host has something for a group slot
 * @m: GPU, locked
 * @nr: group slot
 */
void csf_csg_doorbell(struct csf_model *m, unsigned int nr)
{
	struct csf_csg *g = &m->csg[nr];

	/* the group first: it must be there when its streams are started */
	group_requests(m, g);
	stream_doorbells(m, g);
	flush_csg_events(m, g);
	update_idle(m, g);
}

static void group_user_doorbells(struct csf_model *m, struct csf_csg *g, u32 doorbells)
{
	unsigned int j;

	for (j = 0; j < CSF_NUM_STREAMS; j++) {
		struct csf_stream *s = &g->streams[j];
		u32 id = CS_CONFIG_DOORBELL(s->config);

		if (s->started && id < 32 && (doorbells & BIT(id)))
			csf_stream_latch(s);
	}
	update_idle(m, g);
}

/**
 * csf_csg_user_doorbells() - the host has put work into rings
 * @m: GPU, locked
 * @doorbells: bit mask of the doorbells that were rung
 */
void csf_csg_user_doorbells(struct csf_model *m, u32 doorbells)
{
	unsigned int i;

	for (i = 0; doorbells && i < CSF_NUM_CSGS; i++)
		if (m->csg[i].active)
			group_user_doorbells(m, &m->csg[i], doorbells);
}

/**
 * csf_csg_as_update() - an address space has been reprogrammed
 * @m: GPU, locked
 * @as: address space
 */
void csf_csg_as_update(struct csf_model *m, unsigned int as)
{
	unsigned int i;

	for (i = 0; i < CSF_NUM_CSGS; i++) {
		const struct csf_csg *g = &m->csg[i];

		if (!g->checked || g->as != as || csf_as_mode(&m->as[as]) == AS_MODE_UNMAPPED ||
		    m->as[as].transtab == g->transtab)
			continue;
		csf_bug(m, CSF_BUG_AS_RECYCLED, "AS%u got another page table under CSG%u", as, i);
	}
}

/*
 * Scheduling: in each round every runnable stream gets a slice, those of
 * higher priority first. The front ends of the hardware run concurrently, so
 * no priority may starve another.
 */

static unsigned int rank(const struct csf_stream *s)
{
	return csf_stream_csg(s)->priority << 4 | CS_CONFIG_PRIORITY(s->config);
}

/* Insertion sort: there are rarely more than a few */
static unsigned int collect_runnable(struct csf_model *m, struct csf_stream **list)
{
	unsigned int n = 0, i, k;

	for (i = 0; i < CSF_NUM_CSGS * CSF_NUM_STREAMS; i++) {
		struct csf_csg *g = &m->csg[i / CSF_NUM_STREAMS];
		struct csf_stream *s = &g->streams[i % CSF_NUM_STREAMS];

		if (!g->active || !csf_stream_runnable(s))
			continue;
		for (k = n++; k && rank(list[k - 1]) < rank(s); k--)
			list[k] = list[k - 1];
		list[k] = s;
	}
	return n;
}

static void run_slice(struct csf_model *m, struct csf_stream *s)
{
	struct csf_csg *g = csf_stream_csg(s);

	if (!g->checked && !csf_mmu_blocked(m, g->as))
		check_group_as(m, g);
	csf_stream_run(s);
	update_idle(m, g);
}

static void lock_and_run_slice(struct csf_model *m, struct csf_stream *s)
{
	unsigned long flags;
	ktime_t start;

	/* whoever waits has deadlines, a stream has none */
	while (csf_lock_wanted(m))
		cpu_relax();
	flags = csf_lock(m);
	start = ktime_get();
	/* the world may have changed since it was collected */
	if (csf_mcu_alive(m) && !csf_mmu_blocked(m, 0) && csf_stream_csg(s)->active &&
	    csf_stream_runnable(s))
		run_slice(m, s);
	m->stat[CSF_STAT_LOCK_MAX_NS] = max_t(u64, m->stat[CSF_STAT_LOCK_MAX_NS],
					      ktime_to_ns(ktime_sub(ktime_get(), start)));
	csf_unlock(m, flags);
}

/**
 * csf_csg_next_run() - when there is something to execute
 * @m: GPU, locked
 *
 * Return: nanoseconds until csf_csg_run() has something to do, < 0 = not before
 * something else happens.
 */
s64 csf_csg_next_run(struct csf_model *m)
{
	s64 delay = -1;
	unsigned int i;

	if (!csf_mcu_alive(m))
		return -1;
	for (i = 0; i < CSF_NUM_CSGS * CSF_NUM_STREAMS; i++) {
		const struct csf_csg *g = &m->csg[i / CSF_NUM_STREAMS];
		const struct csf_stream *s = &g->streams[i % CSF_NUM_STREAMS];

		if (g->active && csf_stream_runnable(s))
			return csf_mmu_blocked(m, 0) ? CSF_POLL_NS : 0;
		if (g->active && csf_stream_wants_poll(s))
			delay = CSF_POLL_NS;
	}
	return delay;
}

/**
 * csf_csg_run() - execute a slice of each runnable command stream
 * @m: GPU, not locked
 *
 * Context: the thread for command streams.
 * Return: true if anything was runnable.
 */
bool csf_csg_run(struct csf_model *m)
{
	struct csf_stream *list[CSF_NUM_CSGS * CSF_NUM_STREAMS];
	unsigned long flags;
	unsigned int n, i;

	flags = csf_lock(m);
	m->cs_kick = false;
	n = csf_csg_next_run(m) ? 0 : collect_runnable(m, list);
	csf_unlock(m, flags);

	for (i = 0; i < n; i++)
		lock_and_run_slice(m, list[i]);
	return n;
}
EXPORT_SYMBOL_IF_KUNIT(csf_csg_run);

/*
 * Life cycle and knobs
 */

/**
 * csf_csg_reset() - no groups are resident any more
 * @m: GPU, locked
 */
void csf_csg_reset(struct csf_model *m)
{
	unsigned int i;

	for (i = 0; i < CSF_NUM_CSGS; i++)
		if (m->csg[i].active)
			clear_group(m, &m->csg[i]);
}

/**
 * csf_csg_init() - initialise the slots
 * @m: new GPU
 */
void csf_csg_init(struct csf_model *m)
{
	unsigned int i;

	for (i = 0; i < CSF_NUM_CSGS; i++)
		clear_group(m, &m->csg[i]);
}

/**
 * csf_csg_busy() - whether command streams could be executing
 * @m: GPU, locked
 *
 * Return: true if a group that isn't idle is resident.
 */
bool csf_csg_busy(const struct csf_model *m)
{
	unsigned int i;

	for (i = 0; i < CSF_NUM_CSGS; i++)
		if (m->csg[i].active && !m->csg[i].idle)
			return true;
	return false;
}

/**
 * csf_csg_resident() - which slots are in use
 * @m: GPU, locked
 *
 * Return: bit mask of the slots with a group.
 */
u32 csf_csg_resident(const struct csf_model *m)
{
	u32 mask = 0;
	unsigned int i;

	for (i = 0; i < CSF_NUM_CSGS; i++)
		if (m->csg[i].active)
			mask |= BIT(i);
	return mask;
}

static struct csf_stream *resident_stream(struct csf_model *m, unsigned int csg, unsigned int cs)
{
	struct csf_stream *s;

	if (csg >= CSF_NUM_CSGS || cs >= CSF_NUM_STREAMS || !csf_mcu_alive(m))
		return NULL;
	s = &m->csg[csg].streams[cs];
	return m->csg[csg].active && s->started ? s : NULL;
}

/**
 * csf_csg_inject_fatal() - kill a command stream
 * @m: GPU, locked
 * @csg: group slot
 * @cs: stream
 * @code: exception type
 *
 * Return: 0, or -ENODEV if there is no such stream at present.
 */
int csf_csg_inject_fatal(struct csf_model *m, unsigned int csg, unsigned int cs, u32 code)
{
	struct csf_stream *s = resident_stream(m, csg, cs);

	if (!s)
		return -ENODEV;
	csf_stream_kill(s, code, 0);
	return 0;
}

/**
 * csf_csg_inject_oom() - ask for tiler heap memory
 * @m: GPU, locked
 * @csg: group slot
 * @cs: stream
 *
 * The stream goes on; the driver's answer is counted.
 *
 * Return: 0, or -ENODEV if there is no such stream at present.
 */
int csf_csg_inject_oom(struct csf_model *m, unsigned int csg, unsigned int cs)
{
	struct csf_stream *s = resident_stream(m, csg, cs);

	if (!s)
		return -ENODEV;
	csf_stream_raise_oom(s);
	return 0;
}

/**
 * csf_csg_inject_progress() - pretend that a group makes no progress
 * @m: GPU, locked
 * @csg: group slot
 *
 * Return: 0, or -ENODEV if no group is resident there.
 */
int csf_csg_inject_progress(struct csf_model *m, unsigned int csg)
{
	if (csg >= CSF_NUM_CSGS || !m->csg[csg].active || !csf_mcu_alive(m))
		return -ENODEV;
	csf_csg_raise(m, &m->csg[csg], CSG_EV_PROGRESS);
	return 0;
}
