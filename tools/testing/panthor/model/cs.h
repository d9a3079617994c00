/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Command stream interpreter of the software Mali CSF GPU.
 *
 * A pure machine: it knows neither address spaces nor firmware. Whoever owns
 * it supplies memory and time through &struct csf_cs_ops, tells it how far the
 * ring is filled, calls csf_cs_step() and acts upon the result.
 */
#ifndef MALI_CSF_MODEL_CS_H
#define MALI_CSF_MODEL_CS_H

#include <linux/types.h>

#include "mali_csf_model_uapi.h"

/*
 * Levels of execution, the ring being the first: so many CALLs less one may be
 * nested. Public sources only hint at the real depth.
 */
#define CSF_CS_LEVELS		8

/* A range instruction costs one unit of the budget for so many bytes */
#define CSF_CS_CHUNK_SIZE	0x10000

/* Memory is accessed in pieces that never cross such a boundary */
#define CSF_CS_PAGE_SIZE	0x1000

/* Words that an instruction fetch reads at most */
#define CSF_CS_LINE_WORDS	8

/**
 * struct csf_cs_ops - what a command stream needs from the rest of the GPU
 *
 * All are called from csf_cs_step(), in the context of its caller (typically a
 * raw spinlock held and IRQs off), with the owner's &csf_cs.ctx. Buffers are
 * in CPU byte order of a little endian machine.
 *
 * An access never crosses a 4 KiB boundary, so it happens as a whole or not at
 * all. If @read or @write fails, its implementation has recorded the reason
 * (an MMU fault, a locked region); the instruction stays where it is, is
 * reported as %CSF_CS_STALLED, and starts or, for range instructions, goes on
 * with this very access at the next csf_cs_step().
 */
struct csf_cs_ops {
	/** @read: load @len bytes at GPU address @va; 0 or negative errno */
	int (*read)(void *ctx, u64 va, void *buf, size_t len);
	/**
	 * @write: store @len bytes at GPU address @va; 0 or negative errno.
	 * Sync objects are updated with one naturally aligned access of 4 or
	 * 8 bytes that must reach memory as one store: the CPU polls them.
	 */
	int (*write)(void *ctx, u64 va, const void *buf, size_t len);
	/** @sync_update: a sync object was written; optional */
	void (*sync_update)(void *ctx, bool system_scope);
	/** @cache_flush: FLUSH_CACHE2 executed (LATEST_FLUSH_ID advances); optional */
	void (*cache_flush)(void *ctx);
	/** @timestamp: value of the GPU timestamp; optional, else 0 */
	u64 (*timestamp)(void *ctx);
	/** @cycles: value of the GPU cycle counter; optional, else 0 */
	u64 (*cycles)(void *ctx);
	/**
	 * @tiler_oom: RUN_TILING or RUN_IDVS executes; optional. 0: heap
	 * memory suffices, go on. -ENOMEM: none to be had, CS_FAULT OOM. Other
	 * negative errno: not yet decided, stall; called again when the stream
	 * is stepped.
	 */
	int (*tiler_oom)(void *ctx);
};

/**
 * enum csf_cs_result - why csf_cs_step() returned
 * @CSF_CS_RUNNING: budget used up, more to do
 * @CSF_CS_EMPTY: nothing left in the ring
 * @CSF_CS_SYNC_WAIT: blocked in SYNC_WAIT, see &csf_cs.wait; the condition is
 *	evaluated anew at each csf_cs_step()
 * @CSF_CS_STALLED: a memory access or the tiler heap hook failed; the
 *	instruction executes again at the next csf_cs_step()
 * @CSF_CS_FAULT: recoverable fault, see &csf_cs.exception, reported once. The
 *	stream continues, with errors, until ERROR_BARRIER
 * @CSF_CS_FATAL: dead, see &csf_cs.exception; so is every further call
 */
enum csf_cs_result {
	CSF_CS_RUNNING,
	CSF_CS_EMPTY,
	CSF_CS_SYNC_WAIT,
	CSF_CS_STALLED,
	CSF_CS_FAULT,
	CSF_CS_FATAL,
};

/**
 * struct csf_cs_exception - contents of CS_FAULT/CS_FATAL and their info word
 * @type: exception type, the low 8 bits of CS_FAULT/CS_FATAL; 0 = none
 * @info: CS_FAULT_INFO/CS_FATAL_INFO. The instruction word where an
 *	instruction is at fault, the object's address for CS_INHERIT_FAULT
 */
struct csf_cs_exception {
	u32 type;
	u64 info;
};

/**
 * struct csf_cs_wait - what a blocked SYNC_WAIT waits for
 * @blocked: the last csf_cs_step() returned %CSF_CS_SYNC_WAIT; nothing else is
 *	valid otherwise
 * @is_64bit: size of object and value (CS_STATUS_WAIT bit 30)
 * @cond: %CSF_COND_LE or %CSF_COND_GT (CS_STATUS_WAIT bits 27:24)
 * @sync_ptr: GPU address (CS_STATUS_WAIT_SYNC_POINTER)
 * @value: value to compare with (CS_STATUS_WAIT_SYNC_VALUE)
 */
struct csf_cs_wait {
	bool blocked;
	bool is_64bit;
	u8 cond;
	u64 sync_ptr;
	u64 value;
};

/**
 * struct csf_cs_range - a stretch of instructions outside of the ring
 * @start: GPU address of the first instruction
 * @end: GPU address behind the last one
 * @pc: GPU address of the next one
 */
struct csf_cs_range {
	u64 start;
	u64 end;
	u64 pc;
};

/**
 * struct csf_cs_progress - how far a range instruction came
 * @instr: the instruction; 0 = none in progress
 * @done: bytes done
 * @acc: accumulator of RANGE_SUM, mismatches so far of RANGE_VERIFY
 */
struct csf_cs_progress {
	u64 instr;
	u64 done;
	u64 acc;
};

/**
 * struct csf_cs_state - everything that a suspended stream has to remember
 *
 * Plain data without pointers: copy it into the suspend buffer as it is and
 * give the copy to csf_cs_restore(), in the same or another &struct csf_cs.
 */
struct csf_cs_state {
	/** @regs: register file; pairs have the low word in the even register */
	u32 regs[CSF_NUM_REGS];
	/** @ring_base: GPU address of the ring */
	u64 ring_base;
	/** @ring_size: bytes, a power of two */
	u32 ring_size;
	/** @depth: CALLs in progress; 0 = executing from the ring */
	u32 depth;
	/**
	 * @extract: bytes ever consumed from the ring. Advances when a root
	 * level instruction has completed, a CALL when it has returned.
	 */
	u64 extract;
	/** @call: active ranges, the executing one is call[depth - 1] */
	struct csf_cs_range call[CSF_CS_LEVELS - 1];
	/** @progress: range instruction in progress */
	struct csf_cs_progress progress;
	/** @error: exception type since the last ERROR_BARRIER; 0 = none */
	u32 error;
	/** @resources: mask of the last REQ_RESOURCE (CS_STATUS_REQ_RESOURCE) */
	u32 resources;
	/** @fatal: what killed the stream; type 0 = alive */
	struct csf_cs_exception fatal;
	/** @progress_counter: see PROGRESS_STORE, PROGRESS_LOAD and WAIT */
	u64 progress_counter;
	/** @heap_address: tiler heap context, by HEAP_SET */
	u64 heap_address;
	/** @heap_vt_start: HEAP_OPERATIONs of this kind so far */
	u32 heap_vt_start;
	/** @heap_vt_end: HEAP_OPERATIONs of this kind so far */
	u32 heap_vt_end;
	/** @heap_frag_end: HEAP_OPERATIONs of this kind so far */
	u32 heap_frag_end;
	/** @handler_len: bytes of the tiler OOM exception handler; stored only */
	u32 handler_len;
	/** @handler_va: GPU address of the handler; stored only */
	u64 handler_va;
};

/**
 * struct csf_cs - a command stream
 *
 * About 5 KiB, so not for the stack. The owner serialises all use of it.
 */
struct csf_cs {
	/** @state: architectural state */
	struct csf_cs_state state;
	/** @ops: set once by the owner */
	const struct csf_cs_ops *ops;
	/** @ctx: argument of @ops */
	void *ctx;
	/**
	 * @insert: bytes ever put into the ring; the owner copies it from the
	 * ring's input page before csf_cs_step()
	 */
	u64 insert;
	/** @wait: details of the last %CSF_CS_SYNC_WAIT */
	struct csf_cs_wait wait;
	/** @exception: details of the last %CSF_CS_FAULT or %CSF_CS_FATAL */
	struct csf_cs_exception exception;
	/** @instructions: completed instructions, for statistics; owner may reset */
	u64 instructions;
	/** @jobs: completed CALLs from the ring; owner may reset */
	u64 jobs;
	/** @runs: RUN_* and FINISH_* seen, which do nothing; owner may reset */
	u64 runs;

	/* private: valid within one csf_cs_step() only */
	u64 line_va;
	u32 line_words;
	u64 line[CSF_CS_LINE_WORDS];
	u64 bounce[CSF_CS_PAGE_SIZE / sizeof(u64)];
};

int csf_cs_start(struct csf_cs *cs, u64 ring_base, u32 ring_size, u64 extract);
int csf_cs_restore(struct csf_cs *cs, const struct csf_cs_state *state);
enum csf_cs_result csf_cs_step(struct csf_cs *cs, unsigned int budget);
void csf_cs_kill(struct csf_cs *cs, u32 type, u64 info);
u64 csf_cs_pc(const struct csf_cs *cs);

/**
 * csf_cs_ring_empty() - whether all of the ring has been executed
 * @cs: the stream, with @cs->insert up to date
 *
 * A CALL that has not returned still counts as part of the ring.
 *
 * Return: true if there is nothing to execute.
 */
static inline bool csf_cs_ring_empty(const struct csf_cs *cs)
{
	return cs->state.extract == cs->insert;
}

#endif
