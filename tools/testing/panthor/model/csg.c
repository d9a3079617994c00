// SPDX-License-Identifier: GPL-2.0
/*
 * Firmware of the software Mali CSF GPU, groups and queues: requests and events
 * of the group and stream interfaces, suspend buffers, and the scheduling of
 * command streams.
 *
 * Handshakes: the host requests by making a bit of REQ differ from ACK, the
 * firmware answers by copying it. Events go the other way: the firmware flips
 * a bit of ACK, the host copies it to REQ. A bit that already differs is an
 * event that the host has not seen yet: flipping it again would cancel it, so
 * the next one waits.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "fw_iface.h"
#include "model.h"

#define SUSPEND_MAGIC		0x4d414c4953555350ULL	/* "MALISUSP" */
#define EXC_FW_INTERNAL_ERROR	0x68

/* Instructions between looks at whether a range instruction is in progress */
#define BITE			8

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

static struct csf_csg *stream_csg(const struct csf_stream *s)
{
	return &s->m->csg[s->csg];
}

static u64 cs_in(const struct csf_stream *s)
{
	return FW_CS_IN(s->csg, s->nr);
}

static u64 cs_out(const struct csf_stream *s)
{
	return FW_CS_OUT(s->csg, s->nr);
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

static void raise_csg_event(struct csf_model *m, struct csf_csg *g, u32 event)
{
	g->events |= event;
	flush_csg_events(m, g);
}

/* Bit j says that stream j has events */
static void raise_cs_irq(struct csf_stream *s)
{
	struct csf_model *m = s->m;
	u64 out = FW_CSG_OUT(s->csg) + CSG_CS_IRQ_REQ;
	u32 ack = csf_fw_read32(m, FW_CSG_IN(s->csg) + CSG_CS_IRQ_ACK);
	u32 req = csf_fw_read32(m, out);

	if (!((req ^ ack) & BIT(s->nr)))
		csf_fw_write32(m, out, req ^ BIT(s->nr));
	csf_irq_raise(m, CSF_JOB, BIT(s->csg));
}

static void flush_cs_events(struct csf_stream *s)
{
	struct csf_model *m = s->m;
	u32 req, ack, ready;

	if (!s->events)
		return;
	req = csf_fw_read32(m, cs_in(s) + CS_REQ);
	ack = csf_fw_read32(m, cs_out(s) + CS_ACK);
	ready = s->events & ~(req ^ ack);
	if (!ready)
		return;
	s->events &= ~ready;
	csf_fw_write32(m, cs_out(s) + CS_ACK, ack ^ ready);
	if (ready & csf_fw_read32(m, cs_in(s) + CS_ACK_IRQ_MASK))
		raise_cs_irq(s);
}

static void raise_cs_event(struct csf_stream *s, u32 event)
{
	s->events |= event;
	flush_cs_events(s);
}

static void raise_fatal(struct csf_stream *s)
{
	csf_fw_write32(s->m, cs_out(s) + CS_FATAL, s->cs.exception.type);
	csf_fw_write64(s->m, cs_out(s) + CS_FATAL_INFO, s->cs.exception.info);
	raise_cs_event(s, CS_EV_FATAL);
}

static void raise_fault(struct csf_stream *s)
{
	csf_fw_write32(s->m, cs_out(s) + CS_FAULT, s->cs.exception.type);
	csf_fw_write64(s->m, cs_out(s) + CS_FAULT_INFO, s->cs.exception.info);
	raise_cs_event(s, CS_EV_FAULT);
}

static void kill_stream(struct csf_stream *s, u32 type, u64 info)
{
	csf_cs_kill(&s->cs, type, info);
	s->last = CSF_CS_FATAL;
	s->stall = CSF_STALL_NONE;
	raise_fatal(s);
}

static void raise_oom(struct csf_stream *s)
{
	const struct csf_cs_state *state = &s->cs.state;

	csf_fw_write64(s->m, cs_out(s) + CS_HEAP_ADDRESS, state->heap_address);
	csf_fw_write32(s->m, cs_out(s) + CS_HEAP_VT_START, state->heap_vt_start);
	csf_fw_write32(s->m, cs_out(s) + CS_HEAP_VT_END, state->heap_vt_end);
	csf_fw_write32(s->m, cs_out(s) + CS_HEAP_FRAG_END, state->heap_frag_end);
	s->oom = CSF_OOM_ASKED;
	raise_cs_event(s, CS_EV_TILER_OOM);
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
			flush_cs_events(&g->streams[j]);
			left |= g->streams[j].events;
		}
	}
	return left;
}

/*
 * What command streams need from the GPU
 */

static int stream_access(struct csf_stream *s, u64 va, void *buf, size_t len,
			 enum csf_access access)
{
	u8 as = stream_csg(s)->as;
	int ret = csf_mmu_access(s->m, as, va, buf, len, access);

	if (ret) {
		s->stall = ret == -EAGAIN ? CSF_STALL_LOCK : CSF_STALL_FAULT;
		s->stall_va = va;
		s->stall_updates = s->m->as[as].updates;
	}
	return ret;
}

static int stream_read(void *ctx, u64 va, void *buf, size_t len)
{
	return stream_access(ctx, va, buf, len, CSF_ACCESS_READ);
}

static int stream_write(void *ctx, u64 va, const void *buf, size_t len)
{
	return stream_access(ctx, va, (void *)buf, len, CSF_ACCESS_WRITE);
}

static void stream_sync_update(void *ctx, bool system_scope)
{
	struct csf_stream *s = ctx;

	s->m->sync_writes++;
	if (system_scope)
		raise_csg_event(s->m, stream_csg(s), CSG_EV_SYNC_UPDATE);
}

static void stream_cache_flush(void *ctx)
{
	struct csf_stream *s = ctx;

	csf_core_flushed(s->m);
}

static u64 stream_timestamp(void *ctx)
{
	struct csf_stream *s = ctx;

	return csf_core_timestamp(s->m);
}

static u64 stream_cycles(void *ctx)
{
	struct csf_stream *s = ctx;

	return csf_core_cycles(s->m);
}

/* Tiling uses no memory here, so the tiler_oom_auto knob decides */
static int stream_tiler_oom(void *ctx)
{
	struct csf_stream *s = ctx;
	enum csf_oom oom = s->oom;

	if (!s->m->knobs.tiler_oom_auto || !s->cs.state.heap_address)
		return 0;
	if (oom == CSF_OOM_GRANTED || oom == CSF_OOM_REFUSED) {
		s->oom = CSF_OOM_NONE;
		return oom == CSF_OOM_GRANTED ? 0 : -ENOMEM;
	}
	if (oom == CSF_OOM_NONE)
		raise_oom(s);
	s->stall = CSF_STALL_OOM;
	return -EAGAIN;
}

static const struct csf_cs_ops stream_ops = {
	.read = stream_read,
	.write = stream_write,
	.sync_update = stream_sync_update,
	.cache_flush = stream_cache_flush,
	.timestamp = stream_timestamp,
	.cycles = stream_cycles,
	.tiler_oom = stream_tiler_oom,
};

/*
 * Streams
 */

static bool stream_idle(const struct csf_stream *s)
{
	if (s->last == CSF_CS_SYNC_WAIT)
		return s->req & CS_REQ_IDLE_SYNC_WAIT;
	return csf_cs_ring_empty(&s->cs) && s->last != CSF_CS_FATAL &&
	       (s->req & CS_REQ_IDLE_EMPTY);
}

static bool group_idle(const struct csf_csg *g)
{
	bool any = false;
	unsigned int j;

	for (j = 0; j < CSF_NUM_STREAMS; j++) {
		if (!g->streams[j].started)
			continue;
		if (!stream_idle(&g->streams[j]))
			return false;
		any = true;
	}
	return any;
}

static void update_idle(struct csf_model *m, struct csf_csg *g)
{
	bool idle = g->active && group_idle(g);

	if (idle && !g->idle)
		raise_csg_event(m, g, CSG_EV_IDLE);
	g->idle = idle;
}

static void write_extract(struct csf_stream *s)
{
	u64 extract = s->cs.state.extract;

	if (extract == s->extract_out)
		return;
	s->extract_out = extract;
	csf_fw_write64(s->m, s->out_va + RING_EXTRACT, extract);
	csf_fw_write32(s->m, s->out_va + RING_ACTIVE, !csf_cs_ring_empty(&s->cs));
}

/*
 * A job is over for the driver when its sync object is written, so the next one
 * may already overwrite the few instructions behind that, identical ones. The
 * ring then looks fuller than it is: take the surplus later.
 */
#define RING_SURPLUS		256

static void latch_insert(struct csf_stream *s)
{
	u64 insert = csf_fw_read64(s->m, s->in_va + RING_INSERT);
	u64 extract = s->cs.state.extract;
	u32 size = s->cs.state.ring_size;

	if (s->last == CSF_CS_FATAL)
		return;
	if (insert < extract || insert - extract > size + RING_SURPLUS) {
		csf_bug(s->m, CSF_BUG_RING,
			"CSG%u CS%u: insert 0x%llx, extract 0x%llx, ring of 0x%x bytes",
			s->csg, s->nr, insert, extract, size);
		kill_stream(s, CSF_EXC_CS_CONFIG_FAULT, insert);
		return;
	}
	s->surplus = insert - extract > size;
	s->cs.insert = min(insert, extract + size);
}

/* A stream of a resumed group goes on where it was, ring and all */
static void load_ring(struct csf_stream *s)
{
	u64 base = csf_fw_read64(s->m, cs_in(s) + CS_RINGBUF_BASE);
	u32 size = csf_fw_read32(s->m, cs_in(s) + CS_RINGBUF_SIZE);

	if (!s->restored) {
		csf_cs_start(&s->cs, base, size,
			     csf_fw_read64(s->m, s->in_va + RING_EXTRACT_INIT));
		return;
	}
	s->restored = false;
	if (base != s->cs.state.ring_base || size != s->cs.state.ring_size)
		csf_bug(s->m, CSF_BUG_RING, "CSG%u CS%u: resumed with another ring",
			s->csg, s->nr);
}

static void start_stream(struct csf_stream *s)
{
	s->in_va = csf_fw_read64(s->m, cs_in(s) + CS_RINGBUF_INPUT);
	s->out_va = csf_fw_read64(s->m, cs_in(s) + CS_RINGBUF_OUTPUT);
	load_ring(s);
	s->started = true;
	s->last = CSF_CS_RUNNING;
	s->stall = CSF_STALL_NONE;
	s->oom = CSF_OOM_NONE;
	s->extract_out = s->cs.state.extract;
	if (s->corrupt)
		kill_stream(s, EXC_FW_INTERNAL_ERROR, 0);
}

/* The driver's answer to a request for tiler heap memory */
static void take_heap_chunk(struct csf_stream *s, u32 events)
{
	u64 chunk;

	if (s->oom != CSF_OOM_ASKED || ((events | s->events) & CS_EV_TILER_OOM))
		return;
	chunk = csf_fw_read64(s->m, cs_in(s) + CS_HEAP_START);
	s->m->stat[chunk ? CSF_STAT_TILER_OOM_GRANTED : CSF_STAT_TILER_OOM_REFUSED]++;
	s->oom = chunk ? CSF_OOM_GRANTED : CSF_OOM_REFUSED;
	/* asked by the debugfs file: nobody waits for it */
	if (s->stall != CSF_STALL_OOM)
		s->oom = CSF_OOM_NONE;
}

static void set_cs_ack_state(struct csf_stream *s, u32 state)
{
	u32 ack = csf_fw_read32(s->m, cs_out(s) + CS_ACK);

	csf_fw_write32(s->m, cs_out(s) + CS_ACK, (ack & ~CS_REQ_STATE) | state);
}

static void change_stream_state(struct csf_stream *s, u32 state)
{
	if (state == CS_START)
		start_stream(s);
	else if (state == CS_STOP)
		s->started = false;
	else
		csf_bug(s->m, CSF_BUG_REQ_IGNORED, "CSG%u CS%u: state %u requested",
			s->csg, s->nr, state);
	if (state <= CS_START)
		set_cs_ack_state(s, state);
}

static void stream_doorbell(struct csf_stream *s)
{
	u32 req = csf_fw_read32(s->m, cs_in(s) + CS_REQ);
	u32 ack = csf_fw_read32(s->m, cs_out(s) + CS_ACK);

	s->req = req;
	s->config = csf_fw_read32(s->m, cs_in(s) + CS_CONFIG);
	if ((req ^ ack) & CS_REQ_STATE)
		change_stream_state(s, req & CS_REQ_STATE);
	if (!s->started)
		return;
	latch_insert(s);
	flush_cs_events(s);
	take_heap_chunk(s, (req ^ ack) & CS_REQ_EVENTS);
}

/*
 * Status
 */

static void write_stream_wait(const struct csf_stream *s)
{
	const struct csf_cs_wait *w = &s->cs.wait;
	u64 out = cs_out(s);
	u32 wait = 0, reason = CS_BLOCKED_NONE;

	if (s->last == CSF_CS_SYNC_WAIT) {
		reason = CS_BLOCKED_SYNC;
		wait = CS_WAIT_SYNC | CS_WAIT_SB_SRC_WAIT | w->cond << CS_WAIT_COND_SHIFT |
		       (w->is_64bit ? CS_WAIT_SYNC_64 : 0);
		csf_fw_write64(s->m, out + CS_STATUS_SYNC_PTR, w->sync_ptr);
		csf_fw_write32(s->m, out + CS_STATUS_SYNC_VALUE, lower_32_bits(w->value));
		csf_fw_write32(s->m, out + CS_STATUS_SYNC_VALUE_HI, upper_32_bits(w->value));
	}
	csf_fw_write32(s->m, out + CS_STATUS_WAIT, wait);
	csf_fw_write32(s->m, out + CS_STATUS_BLOCKED, reason);
}

static void write_stream_status(struct csf_stream *s)
{
	u64 out = cs_out(s);

	write_extract(s);
	csf_fw_write64(s->m, out + CS_STATUS_CMD_PTR, csf_cs_pc(&s->cs));
	csf_fw_write32(s->m, out + CS_STATUS_REQ_RESOURCE, s->cs.state.resources);
	csf_fw_write32(s->m, out + CS_STATUS_SCOREBOARDS, 0);
	write_stream_wait(s);
}

/* Work whose doorbell has not arrived yet counts */
static bool more_work(const struct csf_stream *s)
{
	return csf_fw_read64(s->m, s->in_va + RING_INSERT) != s->cs.insert;
}

static void write_status(struct csf_model *m, struct csf_csg *g)
{
	bool idle = group_idle(g);
	unsigned int j;

	for (j = 0; j < CSF_NUM_STREAMS; j++) {
		struct csf_stream *s = &g->streams[j];

		if (!s->started)
			continue;
		write_stream_status(s);
		if (s->last != CSF_CS_SYNC_WAIT && more_work(s))
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

static void clear_stream(struct csf_model *m, struct csf_stream *s, unsigned int i, unsigned int j)
{
	memset(s, 0, sizeof(*s));
	s->m = m;
	s->csg = i;
	s->nr = j;
	s->cs.ops = &stream_ops;
	s->cs.ctx = s;
}

static void clear_group(struct csf_model *m, struct csf_csg *g)
{
	unsigned int j;

	g->active = false;
	g->idle = false;
	g->checked = false;
	g->events = 0;
	for (j = 0; j < CSF_NUM_STREAMS; j++)
		clear_stream(m, &g->streams[j], csg_nr(m, g), j);
}

static void check_group_as(struct csf_model *m, struct csf_csg *g)
{
	const struct csf_as *as = &m->as[g->as];

	g->checked = true;
	g->transtab = as->transtab;
	if (g->as && (m->variant->as_present & BIT(g->as)) &&
	    csf_as_mode(as) == AS_MODE_AARCH64_4K)
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
	/* what makes the driver's START of each stream visible as a request */
	for (j = 0; j < CSF_NUM_STREAMS; j++) {
		g->streams[j].corrupt = corrupt;
		set_cs_ack_state(&g->streams[j], CS_STOP);
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
			stream_doorbell(&g->streams[j]);
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
			latch_insert(s);
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

static bool stall_over(struct csf_model *m, const struct csf_stream *s)
{
	u8 as = stream_csg(s)->as;

	switch (s->stall) {
	case CSF_STALL_FAULT:
		return m->as[as].updates != s->stall_updates;
	case CSF_STALL_LOCK:
		return !csf_mmu_blocked(m, as) || ktime_compare(ktime_get(), s->poll) >= 0;
	case CSF_STALL_OOM:
		return s->oom != CSF_OOM_ASKED;
	default:
		return true;
	}
}

static bool runnable(struct csf_model *m, const struct csf_stream *s)
{
	if (!s->started || (m->knobs.pause && !m->knobs.steps))
		return false;
	switch (s->last) {
	case CSF_CS_EMPTY:
		return !csf_cs_ring_empty(&s->cs);
	case CSF_CS_SYNC_WAIT:
		return s->sync_seen != m->sync_writes ||
		       ktime_compare(ktime_get(), s->poll) >= 0;
	case CSF_CS_STALLED:
		return stall_over(m, s);
	case CSF_CS_FATAL:
		return false;
	default:
		return true;
	}
}

/* Becomes runnable by time alone */
static bool wants_poll(const struct csf_model *m, const struct csf_stream *s)
{
	if (!s->started || (m->knobs.pause && !m->knobs.steps))
		return false;
	return s->last == CSF_CS_SYNC_WAIT ||
	       (s->last == CSF_CS_STALLED && s->stall == CSF_STALL_LOCK);
}

static unsigned int rank(const struct csf_stream *s)
{
	return stream_csg(s)->priority << 4 | CS_CONFIG_PRIORITY(s->config);
}

/* Insertion sort: there are rarely more than a few */
static unsigned int collect_runnable(struct csf_model *m, struct csf_stream **list)
{
	unsigned int n = 0, i, k;

	for (i = 0; i < CSF_NUM_CSGS * CSF_NUM_STREAMS; i++) {
		struct csf_csg *g = &m->csg[i / CSF_NUM_STREAMS];
		struct csf_stream *s = &g->streams[i % CSF_NUM_STREAMS];

		if (!g->active || !runnable(m, s))
			continue;
		for (k = n++; k && rank(list[k - 1]) < rank(s); k--)
			list[k] = list[k - 1];
		list[k] = s;
	}
	return n;
}

/* A slice ends early when it comes to a range instruction: those take time */
static enum csf_cs_result step_slice(struct csf_model *m, struct csf_stream *s)
{
	unsigned int left = m->knobs.pause ? min_t(u64, m->knobs.steps, CSF_SLICE) : CSF_SLICE;
	enum csf_cs_result result;
	unsigned int n;
	u64 before;

	do {
		n = s->cs.state.progress.instr ? 1 : min(left, BITE);
		before = s->cs.instructions;
		result = csf_cs_step(&s->cs, n);
		left -= n;
		if (result != CSF_CS_RUNNING)
			n = s->cs.instructions - before;
		if (m->knobs.pause)
			m->knobs.steps -= n;
	} while (result == CSF_CS_RUNNING && left && !s->cs.state.progress.instr);
	return result;
}

static void account(struct csf_model *m, struct csf_stream *s)
{
	m->stat[CSF_STAT_INSTRUCTIONS] += s->cs.instructions;
	m->stat[CSF_STAT_JOBS] += s->cs.jobs;
	s->cs.instructions = 0;
	s->cs.jobs = 0;
}

static void run_stream(struct csf_model *m, struct csf_stream *s)
{
	struct csf_csg *g = stream_csg(s);

	/* the driver gave up the address space after a fault */
	if (s->last == CSF_CS_STALLED && s->stall == CSF_STALL_FAULT &&
	    csf_as_mode(&m->as[g->as]) == AS_MODE_UNMAPPED) {
		kill_stream(s, CSF_EXC_CS_BUS_FAULT, s->stall_va);
		return;
	}
	if (!g->checked && !csf_mmu_blocked(m, g->as))
		check_group_as(m, g);
	s->stall = CSF_STALL_NONE;
	s->sync_seen = m->sync_writes;
	s->last = step_slice(m, s);
	s->poll = ktime_add_ns(ktime_get(), CSF_POLL_NS);
	account(m, s);
	write_extract(s);
	if (s->surplus)
		latch_insert(s);
	if (s->last == CSF_CS_FATAL)
		raise_fatal(s);
	else if (s->last == CSF_CS_FAULT)
		raise_fault(s);
	update_idle(m, g);
}

static void run_slice(struct csf_model *m, struct csf_stream *s)
{
	unsigned long flags = csf_lock(m);
	ktime_t start = ktime_get();

	/* the world may have changed since it was collected */
	if (csf_mcu_alive(m) && !csf_mmu_blocked(m, 0) && stream_csg(s)->active && runnable(m, s))
		run_stream(m, s);
	m->stat[CSF_STAT_LOCK_MAX_NS] = max_t(u64, m->stat[CSF_STAT_LOCK_MAX_NS],
					      ktime_to_ns(ktime_sub(ktime_get(), start)));
	csf_unlock(m, flags);
	csf_irq_deliver(m);
}

/* As csf_csg_run() returns it */
static s64 next_run(struct csf_model *m)
{
	s64 delay = -1;
	unsigned int i;

	if (!csf_mcu_alive(m))
		return -1;
	for (i = 0; i < CSF_NUM_CSGS * CSF_NUM_STREAMS; i++) {
		const struct csf_csg *g = &m->csg[i / CSF_NUM_STREAMS];
		const struct csf_stream *s = &g->streams[i % CSF_NUM_STREAMS];

		if (g->active && runnable(m, s))
			return csf_mmu_blocked(m, 0) ? CSF_POLL_NS : 0;
		if (g->active && wants_poll(m, s))
			delay = CSF_POLL_NS;
	}
	return delay;
}

/**
 * csf_csg_run() - execute a slice of each runnable command stream
 * @m: GPU, not locked
 *
 * Context: the model's thread.
 * Return: nanoseconds until it has to be called again, 0 = at once,
 * < 0 = when something happens.
 */
s64 csf_csg_run(struct csf_model *m)
{
	struct csf_stream *list[CSF_NUM_CSGS * CSF_NUM_STREAMS];
	unsigned long flags;
	unsigned int n, i;
	s64 delay;

	flags = csf_lock(m);
	n = csf_mcu_alive(m) ? collect_runnable(m, list) : 0;
	csf_unlock(m, flags);

	for (i = 0; i < n; i++)
		run_slice(m, list[i]);

	flags = csf_lock(m);
	delay = next_run(m);
	csf_unlock(m, flags);
	return delay;
}

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
	kill_stream(s, code, 0);
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
	raise_oom(s);
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
	raise_csg_event(m, &m->csg[csg], CSG_EV_PROGRESS);
	return 0;
}
