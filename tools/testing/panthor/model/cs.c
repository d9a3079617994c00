// SPDX-License-Identifier: GPL-2.0
/*
 * Command stream interpreter of the software Mali CSF GPU, see cs.h.
 *
 * Opcodes, operand fields and sync object layout follow Mesa's public
 * description of Valhall v10 command streams and what the panthor driver emits.
 */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>

#include "cs.h"

#ifdef __BIG_ENDIAN
#error "GPU memory is little endian and is accessed without conversion"
#endif

/**
 * DOC: Execution
 *
 * The ring is level 0. A CALL enters a range of instructions, whose end is the
 * return; JUMP replaces the range. Instructions execute in order and complete
 * at once, therefore scoreboard slots, wait masks and signal slots do nothing.
 *
 * An instruction either completes, and only then changes registers, or leaves
 * everything as it was so that it can be executed again. Exceptions to that
 * are memory that a STORE_MULTIPLE across pages or a range instruction wrote
 * before it failed; writing it again does no harm. A range instruction that
 * has to stop keeps its place in &csf_cs_state.progress.
 */

/**
 * DOC: Errors
 *
 * CS_FATAL ends the stream at the offending instruction. CS_FAULT puts it into
 * an error state that ERROR_BARRIER ends. In that state it goes on so that
 * whoever waits for it is told, but does no more work:
 *
 * - memory and shader instructions (LOAD_MULTIPLE, STORE_MULTIPLE, ranges,
 *   RUN_*, FINISH_*) are skipped,
 * - SYNC_WAIT does not wait, BRANCH is not taken (the register it looks at may
 *   come from a skipped load, and a loop must not last forever),
 * - SYNC_ADD and SYNC_SET execute, and write 1 to the status of the object if
 *   they propagate errors,
 * - all others execute: the driver's epilogue computes the address of its sync
 *   object after the CALL.
 *
 * What hardware does with each instruction in this state is not public.
 */

/* Addresses have 48 bits */
#define VA_LIMIT		BIT_ULL(48)

#define INSTR_SIZE		sizeof(u64)
#define LINE_SIZE		(CSF_CS_LINE_WORDS * INSTR_SIZE)
#define RING_MIN_SIZE		0x1000

#define SYNC_STATUS_ERROR	1

/* How executing an instruction ended */
enum exec {
	EXEC_DONE,	/* completed, go on with the next one */
	EXEC_JUMPED,	/* completed, has set the program counter */
	EXEC_AGAIN,	/* a range instruction did a chunk, more follow */
	EXEC_WAIT,	/* SYNC_WAIT unmet */
	EXEC_STALL,	/* an access failed */
	EXEC_FAULT,	/* completed with a CS_FAULT */
	EXEC_FATAL,	/* CS_FATAL */
};

enum operand { NONE, REG, PAIR };

/* For the column op.skip */
#define SKIP	true

/**
 * struct op - an opcode
 * @exec: executes it; operands have been checked
 * @dst: what bits 55:48 are
 * @src: what bits 47:40 are
 * @src2: what bits 39:32 are
 * @skip: does nothing in the error state
 */
struct op {
	enum exec (*exec)(struct csf_cs *cs, u64 instr);
	enum operand dst;
	enum operand src;
	enum operand src2;
	bool skip;
};

static u8 opcode(u64 instr)
{
	return instr >> 56;
}

static u8 dst(u64 instr)
{
	return instr >> 48;
}

static u8 src(u64 instr)
{
	return instr >> 40;
}

static u8 src2(u64 instr)
{
	return instr >> 32;
}

static u16 mask16(u64 instr)
{
	return instr >> 16;
}

static s16 offset16(u64 instr)
{
	return (s16)instr;
}

/* Bits 30:28, of BRANCH and SYNC_WAIT */
static u8 condition(u64 instr)
{
	return (instr >> 28) & 7;
}

static u64 pair(const struct csf_cs *cs, u8 reg)
{
	return cs->state.regs[reg] | (u64)cs->state.regs[reg + 1] << 32;
}

static void set_pair(struct csf_cs *cs, u8 reg, u64 value)
{
	cs->state.regs[reg] = value;
	cs->state.regs[reg + 1] = value >> 32;
}

static struct csf_cs_range *current_call(struct csf_cs *cs)
{
	return &cs->state.call[cs->state.depth - 1];
}

static u64 ring_offset(const struct csf_cs_state *state)
{
	return state->extract & (state->ring_size - 1);
}

/**
 * csf_cs_pc() - address of the current instruction
 * @cs: the stream
 *
 * The one that csf_cs_step() executes next, or that it waits, stalls or has
 * died at: the value of CS_STATUS_CMD_PTR.
 *
 * Return: GPU address.
 */
u64 csf_cs_pc(const struct csf_cs *cs)
{
	const struct csf_cs_state *state = &cs->state;

	if (state->depth)
		return state->call[state->depth - 1].pc;
	return state->ring_base + ring_offset(state);
}

/**
 * csf_cs_kill() - end a stream with CS_FATAL
 * @cs: the stream
 * @type: exception type, non-zero
 * @info: CS_FATAL_INFO
 *
 * For the interpreter itself and for events from outside, such as the address
 * space being switched off under a stalled stream. csf_cs_step() returns
 * %CSF_CS_FATAL from now on; csf_cs_start() revives it.
 */
void csf_cs_kill(struct csf_cs *cs, u32 type, u64 info)
{
	cs->state.fatal.type = type;
	cs->state.fatal.info = info;
	cs->exception = cs->state.fatal;
	cs->wait.blocked = false;
}

static enum exec fatal(struct csf_cs *cs, u32 type, u64 info)
{
	csf_cs_kill(cs, type, info);
	return EXEC_FATAL;
}

static enum exec invalid(struct csf_cs *cs, u64 instr)
{
	return fatal(cs, CSF_EXC_CS_INSTR_INVALID, instr);
}

static enum exec fault(struct csf_cs *cs, u32 type, u64 info)
{
	cs->state.error = type;
	cs->exception.type = type;
	cs->exception.info = info;
	return EXEC_FAULT;
}

/* Memory. Nothing crosses a page, see struct csf_cs_ops */

static u64 to_page_end(u64 va)
{
	return CSF_CS_PAGE_SIZE - (va & (CSF_CS_PAGE_SIZE - 1));
}

static int cs_read(struct csf_cs *cs, u64 va, void *buf, size_t len)
{
	return cs->ops->read(cs->ctx, va, buf, len);
}

static int cs_write(struct csf_cs *cs, u64 va, const void *buf, size_t len)
{
	/* The prefetched instructions may be what is overwritten */
	cs->line_words = 0;
	return cs->ops->write(cs->ctx, va, buf, len);
}

/* Few words that may cross one page boundary */
static int cs_read_split(struct csf_cs *cs, u64 va, void *buf, size_t len)
{
	size_t first = min_t(u64, len, to_page_end(va));
	int err = cs_read(cs, va, buf, first);

	if (err || first == len)
		return err;
	return cs_read(cs, va + first, buf + first, len - first);
}

static int cs_write_split(struct csf_cs *cs, u64 va, const void *buf, size_t len)
{
	size_t first = min_t(u64, len, to_page_end(va));
	int err = cs_write(cs, va, buf, first);

	if (err || first == len)
		return err;
	return cs_write(cs, va + first, buf + first, len - first);
}

/* Registers */

static enum exec exec_nop(struct csf_cs *cs, u64 instr)
{
	return EXEC_DONE;
}

static enum exec exec_move48(struct csf_cs *cs, u64 instr)
{
	set_pair(cs, dst(instr), instr & (VA_LIMIT - 1));
	return EXEC_DONE;
}

static enum exec exec_move32(struct csf_cs *cs, u64 instr)
{
	cs->state.regs[dst(instr)] = instr;
	return EXEC_DONE;
}

static enum exec exec_add_imm32(struct csf_cs *cs, u64 instr)
{
	cs->state.regs[dst(instr)] = cs->state.regs[src(instr)] + (u32)instr;
	return EXEC_DONE;
}

static enum exec exec_add_imm64(struct csf_cs *cs, u64 instr)
{
	set_pair(cs, dst(instr), pair(cs, src(instr)) + (s64)(s32)instr);
	return EXEC_DONE;
}

static enum exec exec_umin32(struct csf_cs *cs, u64 instr)
{
	u32 *regs = cs->state.regs;

	regs[dst(instr)] = min(regs[src(instr)], regs[src2(instr)]);
	return EXEC_DONE;
}

static enum exec exec_wait(struct csf_cs *cs, u64 instr)
{
	if (src2(instr) & 1)
		cs->state.progress_counter++;
	return EXEC_DONE;
}

/* Loads and stores: the registers of the mask, packed in memory */

static bool multiple_valid(struct csf_cs *cs, u64 instr)
{
	u16 mask = mask16(instr);
	u64 va = pair(cs, src(instr)) + offset16(instr);

	return IS_ALIGNED(va, sizeof(u32)) && dst(instr) + fls(mask) <= CSF_NUM_REGS;
}

static enum exec exec_load_multiple(struct csf_cs *cs, u64 instr)
{
	u64 va = pair(cs, src(instr)) + offset16(instr);
	unsigned long mask = mask16(instr);
	unsigned int bit, n = 0;
	u32 words[16];

	if (!multiple_valid(cs, instr))
		return invalid(cs, instr);
	if (!mask)
		return EXEC_DONE;
	if (cs_read_split(cs, va, words, hweight16(mask) * sizeof(u32)))
		return EXEC_STALL;
	for_each_set_bit(bit, &mask, 16)
		cs->state.regs[dst(instr) + bit] = words[n++];
	return EXEC_DONE;
}

static enum exec exec_store_multiple(struct csf_cs *cs, u64 instr)
{
	u64 va = pair(cs, src(instr)) + offset16(instr);
	unsigned long mask = mask16(instr);
	unsigned int bit, n = 0;
	u32 words[16];

	if (!multiple_valid(cs, instr))
		return invalid(cs, instr);
	if (!mask)
		return EXEC_DONE;
	for_each_set_bit(bit, &mask, 16)
		words[n++] = cs->state.regs[dst(instr) + bit];
	if (cs_write_split(cs, va, words, hweight16(mask) * sizeof(u32)))
		return EXEC_STALL;
	return EXEC_DONE;
}

static u64 machine_state(struct csf_cs *cs, unsigned int which)
{
	switch (which) {
	case CSF_STATE_TIMESTAMP:
		return cs->ops->timestamp ? cs->ops->timestamp(cs->ctx) : 0;
	case CSF_STATE_CYCLE_COUNT:
		return cs->ops->cycles ? cs->ops->cycles(cs->ctx) : 0;
	case CSF_STATE_ERROR_STATUS:
		return cs->state.error;
	default:
		/* Time never jumps here: the disjoint count stays 0 */
		return 0;
	}
}

static enum exec exec_store_state(struct csf_cs *cs, u64 instr)
{
	u64 va = pair(cs, src(instr)) + offset16(instr);
	u64 value = machine_state(cs, src2(instr) & 3);

	if (!IS_ALIGNED(va, sizeof(value)))
		return invalid(cs, instr);
	if (cs_write(cs, va, &value, sizeof(value)))
		return EXEC_STALL;
	return EXEC_DONE;
}

/* Control flow */

static bool branch_taken(s32 value, u8 cond)
{
	switch (cond) {
	case CSF_COND_LE:
		return value <= 0;
	case CSF_COND_GT:
		return value > 0;
	case CSF_COND_EQ:
		return value == 0;
	case CSF_COND_NE:
		return value != 0;
	case CSF_COND_LT:
		return value < 0;
	case CSF_COND_GE:
		return value >= 0;
	default:
		return true;
	}
}

/* Only within a range; to its end is to return */
static enum exec exec_branch(struct csf_cs *cs, u64 instr)
{
	u8 cond = condition(instr);
	struct csf_cs_range *call;
	u64 target;

	if (!cs->state.depth || cond > CSF_COND_ALWAYS)
		return invalid(cs, instr);
	if (!branch_taken(cs->state.regs[src(instr)], cond))
		return EXEC_DONE;
	call = current_call(cs);
	target = call->pc + INSTR_SIZE + offset16(instr) * (s64)INSTR_SIZE;
	if (target < call->start || target > call->end)
		return invalid(cs, instr);
	call->pc = target;
	return EXEC_JUMPED;
}

static bool range_valid(const struct csf_cs_range *range)
{
	return range->start <= range->pc && range->pc <= range->end &&
	       range->end <= VA_LIMIT &&
	       IS_ALIGNED(range->start | range->pc | range->end, INSTR_SIZE);
}

/* Target of a CALL or JUMP */
static bool target_range(struct csf_cs *cs, u64 instr, struct csf_cs_range *range)
{
	range->start = pair(cs, src(instr));
	range->end = range->start + cs->state.regs[src2(instr)];
	range->pc = range->start;
	return range_valid(range);
}

static enum exec exec_call(struct csf_cs *cs, u64 instr)
{
	struct csf_cs_state *state = &cs->state;
	struct csf_cs_range range;

	if (!target_range(cs, instr, &range))
		return invalid(cs, instr);
	if (state->depth == ARRAY_SIZE(state->call))
		return fatal(cs, CSF_EXC_CS_CALL_STACK_OVERFLOW, instr);
	/* The ring's own counter advances at the return, see cs_return() */
	if (state->depth)
		current_call(cs)->pc += INSTR_SIZE;
	state->call[state->depth++] = range;
	return EXEC_JUMPED;
}

static enum exec exec_jump(struct csf_cs *cs, u64 instr)
{
	struct csf_cs_range range;

	if (!cs->state.depth || !target_range(cs, instr, &range))
		return invalid(cs, instr);
	*current_call(cs) = range;
	return EXEC_JUMPED;
}

/* Synchronisation: { u32 seqno, u32 status } or { u64 seqno, u32 status, u32 } */

static size_t sync_size(u64 instr)
{
	switch (opcode(instr)) {
	case CSF_OP_SYNC_ADD32:
	case CSF_OP_SYNC_SET32:
	case CSF_OP_SYNC_WAIT32:
		return sizeof(u32);
	default:
		return sizeof(u64);
	}
}

static u64 sync_data(struct csf_cs *cs, u64 instr)
{
	if (sync_size(instr) == sizeof(u32))
		return cs->state.regs[src2(instr)];
	return pair(cs, src2(instr));
}

/* Status first, so that nobody sees the new seqno with the old status */
static enum exec sync_write(struct csf_cs *cs, u64 instr, u64 value)
{
	static const u32 status = SYNC_STATUS_ERROR;
	size_t size = sync_size(instr);
	u64 va = pair(cs, src(instr));
	u8 scope = (instr >> 1) & 3;

	if (cs->state.error && (instr & 1) &&
	    cs_write(cs, va + size, &status, sizeof(status)))
		return EXEC_STALL;
	if (cs_write(cs, va, &value, size))
		return EXEC_STALL;
	if (cs->ops->sync_update)
		cs->ops->sync_update(cs->ctx, scope == CSF_SYNC_SCOPE_SYSTEM);
	return EXEC_DONE;
}

static enum exec exec_sync_set(struct csf_cs *cs, u64 instr)
{
	if (!IS_ALIGNED(pair(cs, src(instr)), sync_size(instr)))
		return invalid(cs, instr);
	return sync_write(cs, instr, sync_data(cs, instr));
}

static enum exec exec_sync_add(struct csf_cs *cs, u64 instr)
{
	u64 va = pair(cs, src(instr));
	u64 value = 0;

	if (!IS_ALIGNED(va, sync_size(instr)))
		return invalid(cs, instr);
	if (cs_read(cs, va, &value, sync_size(instr)))
		return EXEC_STALL;
	return sync_write(cs, instr, value + sync_data(cs, instr));
}

static enum exec sync_block(struct csf_cs *cs, u64 instr)
{
	cs->wait = (struct csf_cs_wait){
		.blocked = true,
		.is_64bit = sync_size(instr) == sizeof(u64),
		.cond = condition(instr),
		.sync_ptr = pair(cs, src(instr)),
		.value = sync_data(cs, instr),
	};
	return EXEC_WAIT;
}

static enum exec exec_sync_wait(struct csf_cs *cs, u64 instr)
{
	u64 va = pair(cs, src(instr)), ref = sync_data(cs, instr);
	size_t size = sync_size(instr);
	u8 cond = condition(instr);
	u64 value = 0;
	u32 status;

	if (!IS_ALIGNED(va, size) || cond > CSF_COND_GT)
		return invalid(cs, instr);
	if (cs_read(cs, va, &value, size))
		return EXEC_STALL;
	if (cond == CSF_COND_GT ? value <= ref : value > ref)
		return sync_block(cs, instr);
	if (!(instr & 1))
		return EXEC_DONE;
	if (cs_read(cs, va + size, &status, sizeof(status)))
		return EXEC_STALL;
	return status ? fault(cs, CSF_EXC_CS_INHERIT_FAULT, va) : EXEC_DONE;
}

static enum exec exec_error_barrier(struct csf_cs *cs, u64 instr)
{
	cs->state.error = 0;
	return EXEC_DONE;
}

/* Progress counter: of this stream alone, PROGRESS_WAIT never waits */

static enum exec exec_progress_store(struct csf_cs *cs, u64 instr)
{
	cs->state.progress_counter = pair(cs, src(instr));
	return EXEC_DONE;
}

static enum exec exec_progress_load(struct csf_cs *cs, u64 instr)
{
	set_pair(cs, dst(instr), cs->state.progress_counter);
	return EXEC_DONE;
}

/* Resources, caches, tiler heap, shaders */

static enum exec exec_req_resource(struct csf_cs *cs, u64 instr)
{
	cs->state.resources = instr & (CSF_RES_COMPUTE | CSF_RES_FRAGMENT |
				       CSF_RES_TILER | CSF_RES_IDVS);
	return EXEC_DONE;
}

static enum exec exec_set_exception_handler(struct csf_cs *cs, u64 instr)
{
	if ((u8)instr == CSF_EXCEPTION_TILER_OOM) {
		cs->state.handler_va = pair(cs, src(instr));
		cs->state.handler_len = cs->state.regs[src2(instr)];
	}
	return EXEC_DONE;
}

static enum exec exec_flush_cache2(struct csf_cs *cs, u64 instr)
{
	if (cs->ops->cache_flush)
		cs->ops->cache_flush(cs->ctx);
	return EXEC_DONE;
}

static enum exec exec_heap_set(struct csf_cs *cs, u64 instr)
{
	cs->state.heap_address = pair(cs, src(instr));
	return EXEC_DONE;
}

static enum exec exec_heap_operation(struct csf_cs *cs, u64 instr)
{
	switch (src2(instr) & 3) {
	case CSF_HEAP_VT_START:
		cs->state.heap_vt_start++;
		return EXEC_DONE;
	case CSF_HEAP_VT_END:
		cs->state.heap_vt_end++;
		return EXEC_DONE;
	case CSF_HEAP_FRAG_END:
		cs->state.heap_frag_end++;
		return EXEC_DONE;
	default:
		return invalid(cs, instr);
	}
}

/* There are no shader cores: what the tiler and they would do is left out. */
static enum exec exec_run(struct csf_cs *cs, u64 instr)
{
	cs->runs++;
	return EXEC_DONE;
}

/*
 * A compute job is described by what four register pairs point to, each of them
 * one out of four that the instruction selects: resource table, uniforms, shader
 * program, thread storage. Numbers of entries are in the bits around the address.
 * Have a look at each of them, so that a job whose resources are gone faults.
 * Registers and fields as in Mesa's description of v10; zero means not used.
 */
static enum exec exec_run_compute(struct csf_cs *cs, u64 instr)
{
	static const struct {
		u8 reg;
		u8 select_shift;
	} parts[] = { { 0, 40 }, { 8, 46 }, { 16, 42 }, { 24, 44 } };
	u64 word;

	for (int i = 0; i < ARRAY_SIZE(parts); i++) {
		u8 select = (instr >> parts[i].select_shift) & 3;
		u64 va = pair(cs, parts[i].reg + 2 * select) & GENMASK_ULL(47, 6);

		if (va && cs->ops->read(cs->ctx, va, &word, sizeof(word)))
			return EXEC_STALL;
	}

	return exec_run(cs, instr);
}

/* Also of IDVS, which tiles what it has shaded */
static enum exec exec_run_tiling(struct csf_cs *cs, u64 instr)
{
	int err = cs->ops->tiler_oom ? cs->ops->tiler_oom(cs->ctx) : 0;

	if (err == -ENOMEM)
		return fault(cs, CSF_EXC_OOM, instr);
	return err ? EXEC_STALL : exec_run(cs, instr);
}

/* Ranges of memory */

static void bounce_fill(struct csf_cs *cs, u64 seed, u64 first, size_t words)
{
	for (size_t i = 0; i < words; i++)
		cs->bounce[i] = csf_pattern(seed, first + i);
}

static u64 bounce_sum(const struct csf_cs *cs, u64 acc, size_t words)
{
	for (size_t i = 0; i < words; i++)
		acc = csf_sum_step(acc, cs->bounce[i]);
	return acc;
}

static u64 bounce_mismatches(const struct csf_cs *cs, u64 seed, u64 first, size_t words)
{
	u64 count = 0;

	for (size_t i = 0; i < words; i++)
		count += cs->bounce[i] != csf_pattern(seed, first + i);
	return count;
}

/*
 * A piece of a range, within one page. Either all of it happens or nothing:
 * the one access that can fail after another is COPY's write.
 */
static int range_piece(struct csf_cs *cs, u64 instr, size_t len)
{
	struct csf_cs_progress *progress = &cs->state.progress;
	u64 va = pair(cs, src(instr)) + progress->done;
	u64 arg = pair(cs, dst(instr));
	u64 first = progress->done / sizeof(u64);
	size_t words = len / sizeof(u64);
	int err;

	if (opcode(instr) == CSF_OP_RANGE_FILL) {
		bounce_fill(cs, arg, first, words);
		return cs_write(cs, va, cs->bounce, len);
	}

	err = cs_read(cs, va, cs->bounce, len);
	if (err)
		return err;
	if (opcode(instr) == CSF_OP_RANGE_COPY)
		return cs_write(cs, arg + progress->done, cs->bounce, len);
	if (opcode(instr) == CSF_OP_RANGE_SUM)
		progress->acc = bounce_sum(cs, progress->acc, words);
	else
		progress->acc += bounce_mismatches(cs, arg, first, words);
	return 0;
}

/* Bytes from where the range instruction is to the next page of any operand */
static u64 range_piece_len(struct csf_cs *cs, u64 instr)
{
	u64 done = cs->state.progress.done;
	u64 len = to_page_end(pair(cs, src(instr)) + done);

	if (opcode(instr) == CSF_OP_RANGE_COPY)
		len = min(len, to_page_end(pair(cs, dst(instr)) + done));
	return len;
}

static bool range_operands_valid(struct csf_cs *cs, u64 instr)
{
	u64 bits = pair(cs, src(instr)) | pair(cs, src2(instr));

	if (opcode(instr) == CSF_OP_RANGE_COPY)
		bits |= pair(cs, dst(instr));
	return IS_ALIGNED(bits, sizeof(u64));
}

static enum exec range_finish(struct csf_cs *cs, u64 instr)
{
	struct csf_cs_progress *progress = &cs->state.progress;

	if (opcode(instr) == CSF_OP_RANGE_SUM || opcode(instr) == CSF_OP_RANGE_VERIFY)
		set_pair(cs, dst(instr), progress->acc);
	progress->instr = 0;
	return EXEC_DONE;
}

/* One chunk. The operand registers do not change until the last one is done */
static enum exec exec_range(struct csf_cs *cs, u64 instr)
{
	struct csf_cs_progress *progress = &cs->state.progress;
	u64 len = pair(cs, src2(instr));
	u64 stop;

	if (!range_operands_valid(cs, instr))
		return invalid(cs, instr);
	if (progress->instr != instr)
		*progress = (struct csf_cs_progress){ .instr = instr };

	stop = min(len, progress->done + CSF_CS_CHUNK_SIZE);
	while (progress->done < stop) {
		u64 piece = min(stop - progress->done, range_piece_len(cs, instr));

		if (range_piece(cs, instr, piece))
			return EXEC_STALL;
		progress->done += piece;
	}
	return progress->done < len ? EXEC_AGAIN : range_finish(cs, instr);
}

/*
 * PROT_REGION is missing on purpose: there is no protected mode. So are all
 * opcodes that v10 does not define. Columns: as struct op.
 */
static const struct op opcodes[256] = {
	[CSF_OP_NOP] = { exec_nop },
	[CSF_OP_MOVE48] = { exec_move48, PAIR, NONE, NONE },
	[CSF_OP_MOVE32] = { exec_move32, REG, NONE, NONE },
	[CSF_OP_WAIT] = { exec_wait },
	[CSF_OP_RUN_COMPUTE] = { exec_run_compute, NONE, NONE, NONE, SKIP },
	[CSF_OP_RUN_TILING] = { exec_run_tiling, NONE, NONE, NONE, SKIP },
	[CSF_OP_RUN_IDVS] = { exec_run_tiling, NONE, NONE, NONE, SKIP },
	[CSF_OP_RUN_FRAGMENT] = { exec_run, NONE, NONE, NONE, SKIP },
	[CSF_OP_RUN_FULLSCREEN] = { exec_run, NONE, NONE, NONE, SKIP },
	[CSF_OP_FINISH_TILING] = { exec_run, NONE, NONE, NONE, SKIP },
	[CSF_OP_FINISH_FRAGMENT] = { exec_run, NONE, NONE, NONE, SKIP },
	[CSF_OP_ADD_IMM32] = { exec_add_imm32, REG, REG, NONE },
	[CSF_OP_ADD_IMM64] = { exec_add_imm64, PAIR, PAIR, NONE },
	[CSF_OP_UMIN32] = { exec_umin32, REG, REG, REG },
	[CSF_OP_LOAD_MULTIPLE] = { exec_load_multiple, REG, PAIR, NONE, SKIP },
	[CSF_OP_STORE_MULTIPLE] = { exec_store_multiple, REG, PAIR, NONE, SKIP },
	[CSF_OP_BRANCH] = { exec_branch, NONE, REG, NONE, SKIP },
	[CSF_OP_SET_SB_ENTRY] = { exec_nop },
	[CSF_OP_PROGRESS_WAIT] = { exec_nop, NONE, PAIR, NONE },
	[CSF_OP_SET_EXCEPTION_HANDLER] = { exec_set_exception_handler, NONE, PAIR, REG },
	[CSF_OP_CALL] = { exec_call, NONE, PAIR, REG },
	[CSF_OP_JUMP] = { exec_jump, NONE, PAIR, REG },
	[CSF_OP_REQ_RESOURCE] = { exec_req_resource },
	[CSF_OP_FLUSH_CACHE2] = { exec_flush_cache2, NONE, REG, NONE },
	[CSF_OP_SYNC_ADD32] = { exec_sync_add, NONE, PAIR, REG },
	[CSF_OP_SYNC_SET32] = { exec_sync_set, NONE, PAIR, REG },
	[CSF_OP_SYNC_WAIT32] = { exec_sync_wait, NONE, PAIR, REG, SKIP },
	[CSF_OP_STORE_STATE] = { exec_store_state, NONE, PAIR, NONE },
	[CSF_OP_PROGRESS_STORE] = { exec_progress_store, NONE, PAIR, NONE },
	[CSF_OP_PROGRESS_LOAD] = { exec_progress_load, PAIR, NONE, NONE },
	[CSF_OP_RUN_COMPUTE_INDIRECT] = { exec_run_compute, NONE, NONE, NONE, SKIP },
	[CSF_OP_ERROR_BARRIER] = { exec_error_barrier },
	[CSF_OP_HEAP_SET] = { exec_heap_set, NONE, PAIR, NONE },
	[CSF_OP_HEAP_OPERATION] = { exec_heap_operation },
	[CSF_OP_TRACE_POINT] = { exec_nop },
	[CSF_OP_SYNC_ADD64] = { exec_sync_add, NONE, PAIR, PAIR },
	[CSF_OP_SYNC_SET64] = { exec_sync_set, NONE, PAIR, PAIR },
	[CSF_OP_SYNC_WAIT64] = { exec_sync_wait, NONE, PAIR, PAIR, SKIP },
	[CSF_OP_RANGE_FILL] = { exec_range, PAIR, PAIR, PAIR, SKIP },
	[CSF_OP_RANGE_SUM] = { exec_range, PAIR, PAIR, PAIR, SKIP },
	[CSF_OP_RANGE_COPY] = { exec_range, PAIR, PAIR, PAIR, SKIP },
	[CSF_OP_RANGE_VERIFY] = { exec_range, PAIR, PAIR, PAIR, SKIP },
};

static bool operand_valid(enum operand kind, u8 reg)
{
	switch (kind) {
	case REG:
		return reg < CSF_NUM_REGS;
	case PAIR:
		return reg < CSF_NUM_REGS && !(reg & 1);
	default:
		return true;
	}
}

static enum exec execute(struct csf_cs *cs, u64 instr)
{
	const struct op *op = &opcodes[opcode(instr)];

	/* Somebody may have changed the instruction that was in progress */
	if (cs->state.progress.instr != instr)
		cs->state.progress.instr = 0;

	if (!op->exec || !operand_valid(op->dst, dst(instr)) ||
	    !operand_valid(op->src, src(instr)) ||
	    !operand_valid(op->src2, src2(instr)))
		return invalid(cs, instr);
	if (op->skip && cs->state.error)
		return EXEC_DONE;
	return op->exec(cs, instr);
}

/* Bytes of instructions that follow each other in memory from here on */
static u64 bytes_ahead(struct csf_cs *cs)
{
	const struct csf_cs_state *state = &cs->state;
	const struct csf_cs_range *call;

	if (!state->depth)
		return min(cs->insert - state->extract,
			   state->ring_size - ring_offset(state));
	call = current_call(cs);
	return call->end - call->pc;
}

static int fetch(struct csf_cs *cs, u64 *instr)
{
	u64 pc = csf_cs_pc(cs);
	u64 index = (pc - cs->line_va) / INSTR_SIZE;

	if (index >= cs->line_words) {
		u64 len = min(bytes_ahead(cs), LINE_SIZE - pc % LINE_SIZE);
		int err = cs_read(cs, pc, cs->line, len);

		cs->line_words = err ? 0 : len / INSTR_SIZE;
		if (err)
			return err;
		cs->line_va = pc;
		index = 0;
	}
	*instr = cs->line[index];
	return 0;
}

static void advance(struct csf_cs *cs)
{
	if (cs->state.depth)
		current_call(cs)->pc += INSTR_SIZE;
	else
		cs->state.extract += INSTR_SIZE;
}

/* Leave all ranges that have come to their end */
static void cs_return(struct csf_cs *cs)
{
	struct csf_cs_state *state = &cs->state;

	while (state->depth && current_call(cs)->pc == current_call(cs)->end) {
		if (--state->depth)
			continue;
		state->extract += INSTR_SIZE;
		cs->jobs++;
	}
}

static enum csf_cs_result step_one(struct csf_cs *cs)
{
	enum exec exec;
	u64 instr;

	if (fetch(cs, &instr))
		return CSF_CS_STALLED;

	exec = execute(cs, instr);
	switch (exec) {
	case EXEC_AGAIN:
		return CSF_CS_RUNNING;
	case EXEC_WAIT:
		return CSF_CS_SYNC_WAIT;
	case EXEC_STALL:
		return CSF_CS_STALLED;
	case EXEC_FATAL:
		return CSF_CS_FATAL;
	case EXEC_DONE:
	case EXEC_FAULT:
		advance(cs);
		break;
	case EXEC_JUMPED:
		break;
	}
	cs->instructions++;
	cs_return(cs);
	return exec == EXEC_FAULT ? CSF_CS_FAULT : CSF_CS_RUNNING;
}

/*
 * Insert is written by the host: as many bytes as fit, whole instructions, and
 * not back to before a CALL that is being executed.
 */
static bool insert_valid(const struct csf_cs *cs)
{
	u64 used = cs->insert - cs->state.extract;

	return used <= cs->state.ring_size && IS_ALIGNED(used, INSTR_SIZE) &&
	       (used || !cs->state.depth);
}

/**
 * csf_cs_step() - execute instructions
 * @cs: the stream, with @cs->insert up to date
 * @budget: how many at most; each started 64 KiB of a range instruction
 *	counts as one
 *
 * Context: any; never sleeps, as long as &csf_cs_ops do not. The time it takes
 * is bounded by @budget. Prefetched instructions do not outlive the call.
 *
 * Return: why it stopped, see &enum csf_cs_result. With a @budget of 0 just
 * whether there is something to do.
 */
enum csf_cs_result csf_cs_step(struct csf_cs *cs, unsigned int budget)
{
	enum csf_cs_result result = CSF_CS_RUNNING;

	cs->line_words = 0;
	cs->wait.blocked = false;
	if (!cs->state.fatal.type && !insert_valid(cs))
		csf_cs_kill(cs, CSF_EXC_CS_CONFIG_FAULT, cs->insert);
	if (cs->state.fatal.type) {
		cs->exception = cs->state.fatal;
		return CSF_CS_FATAL;
	}

	while (result == CSF_CS_RUNNING && budget-- && !csf_cs_ring_empty(cs))
		result = step_one(cs);
	if (result == CSF_CS_RUNNING && csf_cs_ring_empty(cs))
		return CSF_CS_EMPTY;
	return result;
}

static bool ring_valid(const struct csf_cs_state *state)
{
	u32 size = state->ring_size;

	return state->ring_base && state->ring_base < VA_LIMIT &&
	       state->ring_base + size <= VA_LIMIT &&
	       size >= RING_MIN_SIZE && is_power_of_2(size) &&
	       IS_ALIGNED(state->ring_base | state->extract, INSTR_SIZE);
}

static void reset_results(struct csf_cs *cs)
{
	cs->insert = cs->state.extract + (cs->state.depth ? INSTR_SIZE : 0);
	cs->wait = (struct csf_cs_wait){ };
	cs->exception = (struct csf_cs_exception){ };
	cs->line_words = 0;
}

/**
 * csf_cs_start() - begin with a new ring and all registers zero
 * @cs: the stream; &csf_cs.ops and &csf_cs.ctx are set
 * @ring_base: GPU address of the ring, a multiple of 8, not 0
 * @ring_size: bytes, a power of two of at least 4096
 * @extract: where to begin, in bytes ever put into the ring
 *
 * Sets &csf_cs.insert to @extract, that is, to an empty ring.
 *
 * Return: 0, or -EINVAL if the ring is misconfigured; then the stream is dead
 * and csf_cs_step() reports CS_CONFIG_FAULT.
 */
int csf_cs_start(struct csf_cs *cs, u64 ring_base, u32 ring_size, u64 extract)
{
	memset(&cs->state, 0, sizeof(cs->state));
	cs->state.ring_base = ring_base;
	cs->state.ring_size = ring_size;
	cs->state.extract = extract;
	reset_results(cs);
	if (ring_valid(&cs->state))
		return 0;
	csf_cs_kill(cs, CSF_EXC_CS_CONFIG_FAULT, ring_base);
	return -EINVAL;
}

static bool calls_valid(const struct csf_cs_state *state)
{
	if (state->depth > ARRAY_SIZE(state->call))
		return false;
	for (u32 i = 0; i < state->depth; i++) {
		if (!range_valid(&state->call[i]))
			return false;
	}
	/* Leaving a range is part of its last instruction */
	return !state->depth ||
	       state->call[state->depth - 1].pc < state->call[state->depth - 1].end;
}

/**
 * csf_cs_restore() - go on from a saved state
 * @cs: the stream; &csf_cs.ops and &csf_cs.ctx are set
 * @state: copy of the &csf_cs.state of a suspended stream, untrusted
 *
 * The stream executes the very instruction next that it would have executed
 * if it had not been suspended. One that was blocked finds that out again; one
 * that was dead stays so. Sets &csf_cs.insert to an empty ring, or to one with
 * nothing but the CALL that the stream is in.
 *
 * Return: 0, or -EINVAL if no stream can have that state; then the stream is
 * dead and csf_cs_step() reports CS_CONFIG_FAULT.
 */
int csf_cs_restore(struct csf_cs *cs, const struct csf_cs_state *state)
{
	cs->state = *state;
	if (calls_valid(state) && (state->fatal.type || ring_valid(state))) {
		reset_results(cs);
		return 0;
	}
	cs->state.depth = 0;
	reset_results(cs);
	csf_cs_kill(cs, CSF_EXC_CS_CONFIG_FAULT, state->ring_base);
	return -EINVAL;
}
