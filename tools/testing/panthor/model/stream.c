// SPDX-License-Identifier: GPL-2.0
/*
 * Firmware of the software Mali CSF GPU, command stream slots: requests and
 * events of the stream interfaces, rings, and the execution of slices.
 */
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <kunit/visibility.h>

#include "fw_iface.h"
#include "model.h"

/* Instructions between looks at whether a range instruction is in progress */
#define BITE			8

static u64 cs_in(const struct csf_stream *s)
{
	return FW_CS_IN(s->csg, s->nr);
}

static u64 cs_out(const struct csf_stream *s)
{
	return FW_CS_OUT(s->csg, s->nr);
}

/*
 * Events, see csg.c for the handshake
 */

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

/**
 * csf_stream_flush_events() - raise events whose predecessors are acknowledged
 * @s: stream, model locked
 */
void csf_stream_flush_events(struct csf_stream *s)
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
	csf_stream_flush_events(s);
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

/**
 * csf_stream_kill() - end a stream by a CS_FATAL event
 * @s: started stream, model locked
 * @type: exception type
 * @info: exception details
 */
void csf_stream_kill(struct csf_stream *s, u32 type, u64 info)
{
	csf_cs_kill(&s->cs, type, info);
	s->last = CSF_CS_FATAL;
	s->stall = CSF_STALL_NONE;
	raise_fatal(s);
}

/**
 * csf_stream_raise_oom() - ask the driver for tiler heap memory
 * @s: started stream, model locked
 */
void csf_stream_raise_oom(struct csf_stream *s)
{
	const struct csf_cs_state *state = &s->cs.state;

	csf_fw_write64(s->m, cs_out(s) + CS_HEAP_ADDRESS, state->heap_address);
	csf_fw_write32(s->m, cs_out(s) + CS_HEAP_VT_START, state->heap_vt_start);
	csf_fw_write32(s->m, cs_out(s) + CS_HEAP_VT_END, state->heap_vt_end);
	csf_fw_write32(s->m, cs_out(s) + CS_HEAP_FRAG_END, state->heap_frag_end);
	s->oom = CSF_OOM_ASKED;
	raise_cs_event(s, CS_EV_TILER_OOM);
}

/*
 * What command streams need from the GPU
 */

static int stream_access(struct csf_stream *s, u64 va, void *buf, size_t len,
			 enum csf_access access)
{
	u8 as = csf_stream_csg(s)->as;
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
		csf_csg_raise(s->m, csf_stream_csg(s), CSG_EV_SYNC_UPDATE);
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
		csf_stream_raise_oom(s);
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
 * Rings and requests
 */

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

/**
 * csf_stream_latch() - read INSERT of the ring
 * @s: started stream, model locked
 */
void csf_stream_latch(struct csf_stream *s)
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
		csf_stream_kill(s, CSF_EXC_CS_CONFIG_FAULT, insert);
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
		csf_stream_kill(s, CS_EXC_FW_INTERNAL_ERROR, 0);
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

/**
 * csf_stream_doorbell() - the host has something for a stream
 * @s: stream of a resident group, model locked
 */
void csf_stream_doorbell(struct csf_stream *s)
{
	u32 req = csf_fw_read32(s->m, cs_in(s) + CS_REQ);
	u32 ack = csf_fw_read32(s->m, cs_out(s) + CS_ACK);

	s->req = req;
	s->config = csf_fw_read32(s->m, cs_in(s) + CS_CONFIG);
	if ((req ^ ack) & CS_REQ_STATE)
		change_stream_state(s, req & CS_REQ_STATE);
	if (!s->started)
		return;
	csf_stream_latch(s);
	csf_stream_flush_events(s);
	take_heap_chunk(s, (req ^ ack) & CS_REQ_EVENTS);
}

/*
 * Status
 */

/**
 * csf_stream_idle() - whether a stream counts as idle
 * @s: started stream, model locked
 *
 * Return: true if it has nothing to do and the host accepts the reason.
 */
bool csf_stream_idle(const struct csf_stream *s)
{
	if (s->last == CSF_CS_SYNC_WAIT)
		return s->req & CS_REQ_IDLE_SYNC_WAIT;
	return csf_cs_ring_empty(&s->cs) && s->last != CSF_CS_FATAL &&
	       (s->req & CS_REQ_IDLE_EMPTY);
}

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

/**
 * csf_stream_write_status() - bring the output block up to date
 * @s: started stream, model locked
 */
void csf_stream_write_status(struct csf_stream *s)
{
	u64 out = cs_out(s);

	write_extract(s);
	csf_fw_write64(s->m, out + CS_STATUS_CMD_PTR, csf_cs_pc(&s->cs));
	csf_fw_write32(s->m, out + CS_STATUS_REQ_RESOURCE, s->cs.state.resources);
	csf_fw_write32(s->m, out + CS_STATUS_SCOREBOARDS, 0);
	write_stream_wait(s);
}

/**
 * csf_stream_more_work() - whether the ring holds more than was rung for
 * @s: started stream, model locked
 *
 * Return: true if a doorbell must be on its way.
 */
bool csf_stream_more_work(const struct csf_stream *s)
{
	return csf_fw_read64(s->m, s->in_va + RING_INSERT) != s->cs.insert;
}

/*
 * Execution
 */

static bool stall_over(const struct csf_stream *s)
{
	struct csf_model *m = s->m;
	u8 as = csf_stream_csg(s)->as;

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

/**
 * csf_stream_runnable() - whether a stream can execute
 * @s: stream, model locked
 *
 * Return: true if a slice would get it further, as far as one can tell.
 */
bool csf_stream_runnable(const struct csf_stream *s)
{
	struct csf_model *m = s->m;

	if (!s->started || (m->knobs.pause && !m->knobs.steps))
		return false;
	switch (s->last) {
	case CSF_CS_EMPTY:
		return !csf_cs_ring_empty(&s->cs);
	case CSF_CS_SYNC_WAIT:
		return s->sync_seen != m->sync_writes ||
		       ktime_compare(ktime_get(), s->poll) >= 0;
	case CSF_CS_STALLED:
		return stall_over(s);
	case CSF_CS_FATAL:
		return false;
	default:
		return true;
	}
}

/**
 * csf_stream_wants_poll() - whether a stream becomes runnable by time alone
 * @s: stream, model locked
 *
 * Return: true if it has to be looked at again after a while.
 */
bool csf_stream_wants_poll(const struct csf_stream *s)
{
	const struct csf_model *m = s->m;

	if (!s->started || (m->knobs.pause && !m->knobs.steps))
		return false;
	return s->last == CSF_CS_SYNC_WAIT ||
	       (s->last == CSF_CS_STALLED && s->stall == CSF_STALL_LOCK);
}

/*
 * A slice ends early when it comes to a range instruction, since those take time,
 * and when somebody waits for the lock.
 */
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
	} while (result == CSF_CS_RUNNING && left && !s->cs.state.progress.instr &&
		 !csf_lock_wanted(m));
	return result;
}

static void account(struct csf_model *m, struct csf_stream *s)
{
	m->stat[CSF_STAT_INSTRUCTIONS] += s->cs.instructions;
	m->stat[CSF_STAT_JOBS] += s->cs.jobs;
	s->cs.instructions = 0;
	s->cs.jobs = 0;
}

/**
 * csf_stream_run() - execute a slice
 * @s: runnable stream, model locked
 */
void csf_stream_run(struct csf_stream *s)
{
	struct csf_model *m = s->m;

	/* the driver gave up the address space after a fault */
	if (s->last == CSF_CS_STALLED && s->stall == CSF_STALL_FAULT &&
	    csf_as_mode(&m->as[csf_stream_csg(s)->as]) == AS_MODE_UNMAPPED) {
		csf_stream_kill(s, CSF_EXC_CS_BUS_FAULT, s->stall_va);
		return;
	}
	s->stall = CSF_STALL_NONE;
	s->sync_seen = m->sync_writes;
	s->last = step_slice(m, s);
	s->poll = ktime_add_ns(ktime_get(), CSF_POLL_NS);
	account(m, s);
	write_extract(s);
	if (s->surplus)
		csf_stream_latch(s);
	if (s->last == CSF_CS_FATAL)
		raise_fatal(s);
	else if (s->last == CSF_CS_FAULT)
		raise_fault(s);
}
EXPORT_SYMBOL_IF_KUNIT(csf_stream_run);

/**
 * csf_stream_stopped() - tell the host that a stream is not started
 * @s: stream, model locked
 *
 * Makes the host's next START visible as a request.
 */
void csf_stream_stopped(struct csf_stream *s)
{
	set_cs_ack_state(s, CS_STOP);
}

/**
 * csf_stream_clear() - forget a stream
 * @m: GPU, locked
 * @csg: group slot
 * @nr: stream
 */
void csf_stream_clear(struct csf_model *m, unsigned int csg, unsigned int nr)
{
	struct csf_stream *s = &m->csg[csg].streams[nr];

	memset(s, 0, sizeof(*s));
	s->m = m;
	s->csg = csg;
	s->nr = nr;
	s->cs.ops = &stream_ops;
	s->cs.ctx = s;
}
