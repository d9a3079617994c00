/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Command stream encodings of the software Mali CSF GPU, for the model itself
 * and for the user space programs that feed it.
 *
 * An instruction is a 64-bit little endian word with the opcode in bits 63:56.
 * The encodings are those of Valhall v10 (G610) as Mesa's public description
 * of the command stream gives them; 0xE0..0xE3 are the model's own.
 */
#ifndef MALI_CSF_MODEL_UAPI_H
#define MALI_CSF_MODEL_UAPI_H

#include <linux/types.h>

/** CSF_NUM_REGS - 32-bit registers of a command stream, r0 to r95 */
#define CSF_NUM_REGS			96

#define CSF_OP_NOP			0x00
#define CSF_OP_MOVE48			0x01
#define CSF_OP_MOVE32			0x02
#define CSF_OP_WAIT			0x03
#define CSF_OP_RUN_COMPUTE		0x04
#define CSF_OP_RUN_TILING		0x05
#define CSF_OP_RUN_IDVS			0x06
#define CSF_OP_RUN_FRAGMENT		0x07
#define CSF_OP_RUN_FULLSCREEN		0x08
#define CSF_OP_FINISH_TILING		0x09
#define CSF_OP_FINISH_FRAGMENT		0x0b
#define CSF_OP_ADD_IMM32		0x10
#define CSF_OP_ADD_IMM64		0x11
#define CSF_OP_UMIN32			0x12
#define CSF_OP_LOAD_MULTIPLE		0x14
#define CSF_OP_STORE_MULTIPLE		0x15
#define CSF_OP_BRANCH			0x16
#define CSF_OP_SET_SB_ENTRY		0x17
#define CSF_OP_PROGRESS_WAIT		0x18
#define CSF_OP_SET_EXCEPTION_HANDLER	0x19
#define CSF_OP_CALL			0x20
#define CSF_OP_JUMP			0x21
#define CSF_OP_REQ_RESOURCE		0x22
#define CSF_OP_FLUSH_CACHE2		0x24
#define CSF_OP_SYNC_ADD32		0x25
#define CSF_OP_SYNC_SET32		0x26
#define CSF_OP_SYNC_WAIT32		0x27
#define CSF_OP_STORE_STATE		0x28
#define CSF_OP_PROT_REGION		0x29
#define CSF_OP_PROGRESS_STORE		0x2a
#define CSF_OP_PROGRESS_LOAD		0x2b
#define CSF_OP_RUN_COMPUTE_INDIRECT	0x2c
#define CSF_OP_ERROR_BARRIER		0x2f
#define CSF_OP_HEAP_SET			0x30
#define CSF_OP_HEAP_OPERATION		0x31
#define CSF_OP_TRACE_POINT		0x32
#define CSF_OP_SYNC_ADD64		0x33
#define CSF_OP_SYNC_SET64		0x34
#define CSF_OP_SYNC_WAIT64		0x35

/*
 * Model only. Addresses are multiples of 8, lengths are bytes and multiples of
 * 8, every operand is an even register pair. Ranges of one instruction must
 * not overlap.
 */
#define CSF_OP_RANGE_FILL		0xe0
#define CSF_OP_RANGE_SUM		0xe1
#define CSF_OP_RANGE_COPY		0xe2
#define CSF_OP_RANGE_VERIFY		0xe3

/* BRANCH: how the signed register compares with zero */
#define CSF_COND_LE			0
#define CSF_COND_GT			1
#define CSF_COND_EQ			2
#define CSF_COND_NE			3
#define CSF_COND_LT			4
#define CSF_COND_GE			5
#define CSF_COND_ALWAYS			6

/* SYNC_WAIT takes CSF_COND_LE and CSF_COND_GT, unsigned */

/* SYNC_ADD, SYNC_SET */
#define CSF_SYNC_SCOPE_SYSTEM		0
#define CSF_SYNC_SCOPE_CSG		2

/* STORE_STATE */
#define CSF_STATE_TIMESTAMP		0
#define CSF_STATE_CYCLE_COUNT		1
#define CSF_STATE_DISJOINT_COUNT	2
#define CSF_STATE_ERROR_STATUS		3

/* HEAP_OPERATION */
#define CSF_HEAP_VT_START		0
#define CSF_HEAP_VT_END			1
#define CSF_HEAP_FRAG_END		3

/* REQ_RESOURCE */
#define CSF_RES_COMPUTE			0x1
#define CSF_RES_FRAGMENT		0x2
#define CSF_RES_TILER			0x4
#define CSF_RES_IDVS			0x8

/* SET_EXCEPTION_HANDLER */
#define CSF_EXCEPTION_TILER_OOM		2

/* CS_FAULT and CS_FATAL exception types */
#define CSF_EXC_CS_CONFIG_FAULT		0x40
#define CSF_EXC_CS_UNRECOVERABLE	0x41
#define CSF_EXC_CS_BUS_FAULT		0x48
#define CSF_EXC_CS_INSTR_INVALID	0x49
#define CSF_EXC_CS_CALL_STACK_OVERFLOW	0x4a
#define CSF_EXC_CS_INHERIT_FAULT	0x4b
#define CSF_EXC_OOM			0x60

/**
 * csf_pattern() - test data of RANGE_FILL and RANGE_VERIFY
 * @seed: distinguishes ranges
 * @i: index of the 64-bit word in the range
 *
 * splitmix64: every bit depends on seed and position, so that data of another
 * page, another offset or another round does not go unnoticed.
 *
 * Return: the word.
 */
static inline __u64 csf_pattern(__u64 seed, __u64 i)
{
	__u64 z = seed + (i + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/**
 * csf_sum_step() - one step of the RANGE_SUM accumulator, which starts at 0
 * @acc: value so far
 * @word: next 64-bit word of the range
 *
 * Depends on the order of the words, so swapped pages change the result.
 *
 * Return: the new value.
 */
static inline __u64 csf_sum_step(__u64 acc, __u64 word)
{
	return acc * 6364136223846793005ULL + word;
}

/**
 * struct csf_fw_code - beginning of the firmware image's section at MCU address 0
 * @magic: %CSF_FW_CODE_MAGIC
 * @words: 64-bit words that follow this structure
 * @seed: word i of them is csf_pattern(@seed, i)
 * @sum: csf_sum_step() over all of them
 *
 * There is no code to execute. The section exists to be checked: whether the
 * driver loaded it, mapped it, and loaded it again after a reset. Little
 * endian. Images that do not begin like this have nothing to check.
 */
struct csf_fw_code {
	__u64 magic;
	__u64 words;
	__u64 seed;
	__u64 sum;
};

/* "CSFMODEL" */
#define CSF_FW_CODE_MAGIC		0x4c45444f4d465343ULL
#define CSF_FW_CODE_VA			0x00000000

/*
 * Encoders. None checks its operands: tests need to write wrong ones as well.
 */

/**
 * CSF_INSTR() - any instruction out of its common fields
 * @op: opcode
 * @dst: bits 55:48, destination or base register
 * @src: bits 47:40, source or address register
 * @src2: bits 39:32, second source, data or length register
 * @imm: bits 31:0
 *
 * Return: the instruction word, a constant if the operands are constants.
 */
#define CSF_INSTR(op, dst, src, src2, imm)			\
	((__u64)(__u8)(op) << 56 | (__u64)(__u8)(dst) << 48 |	\
	 (__u64)(__u8)(src) << 40 | (__u64)(__u8)(src2) << 32 |	\
	 (__u32)(imm))

static inline __u64 csf_instr(__u8 op, __u8 dst, __u8 src, __u8 src2, __u32 imm)
{
	return CSF_INSTR(op, dst, src, src2, imm);
}

static inline __u64 csf_nop(void)
{
	return 0;
}

static inline __u64 csf_move48(__u8 dst, __u64 imm)
{
	return csf_instr(CSF_OP_MOVE48, dst, 0, 0, 0) | (imm & 0xffffffffffffULL);
}

static inline __u64 csf_move32(__u8 dst, __u32 imm)
{
	return csf_instr(CSF_OP_MOVE32, dst, 0, 0, imm);
}

static inline __u64 csf_wait(__u16 mask)
{
	return csf_instr(CSF_OP_WAIT, 0, 0, 0, (__u32)mask << 16);
}

static inline __u64 csf_wait_progress(__u16 mask)
{
	return csf_instr(CSF_OP_WAIT, 0, 0, 1, (__u32)mask << 16);
}

static inline __u64 csf_add_imm32(__u8 dst, __u8 src, __s32 imm)
{
	return csf_instr(CSF_OP_ADD_IMM32, dst, src, 0, imm);
}

static inline __u64 csf_add_imm64(__u8 dst, __u8 src, __s32 imm)
{
	return csf_instr(CSF_OP_ADD_IMM64, dst, src, 0, imm);
}

static inline __u64 csf_umin32(__u8 dst, __u8 src0, __u8 src1)
{
	return csf_instr(CSF_OP_UMIN32, dst, src0, src1, 0);
}

static inline __u64 csf_load_multiple(__u8 base, __u8 addr, __u16 mask, __s16 offset)
{
	return csf_instr(CSF_OP_LOAD_MULTIPLE, base, addr, 0,
			 (__u32)mask << 16 | (__u16)offset);
}

static inline __u64 csf_store_multiple(__u8 base, __u8 addr, __u16 mask, __s16 offset)
{
	return csf_instr(CSF_OP_STORE_MULTIPLE, base, addr, 0,
			 (__u32)mask << 16 | (__u16)offset);
}

/* offset counts instructions from the one after the branch */
static inline __u64 csf_branch(__u8 cond, __u8 reg, __s16 offset)
{
	return csf_instr(CSF_OP_BRANCH, 0, reg, 0, (__u32)cond << 28 | (__u16)offset);
}

static inline __u64 csf_set_sb_entry(__u8 endpoint, __u8 other)
{
	return csf_instr(CSF_OP_SET_SB_ENTRY, 0, 0, 0, (other & 0xf) << 4 | (endpoint & 0xf));
}

static inline __u64 csf_progress_wait(__u8 src, __u8 queue)
{
	return csf_instr(CSF_OP_PROGRESS_WAIT, 0, src, 0, queue & 0x1f);
}

static inline __u64 csf_progress_store(__u8 src)
{
	return csf_instr(CSF_OP_PROGRESS_STORE, 0, src, 0, 0);
}

static inline __u64 csf_progress_load(__u8 dst)
{
	return csf_instr(CSF_OP_PROGRESS_LOAD, dst, 0, 0, 0);
}

static inline __u64 csf_set_exception_handler(__u8 type, __u8 addr, __u8 len)
{
	return csf_instr(CSF_OP_SET_EXCEPTION_HANDLER, 0, addr, len, type);
}

static inline __u64 csf_call(__u8 addr, __u8 len)
{
	return csf_instr(CSF_OP_CALL, 0, addr, len, 0);
}

static inline __u64 csf_jump(__u8 addr, __u8 len)
{
	return csf_instr(CSF_OP_JUMP, 0, addr, len, 0);
}

static inline __u64 csf_req_resource(__u8 resources)
{
	return csf_instr(CSF_OP_REQ_RESOURCE, 0, 0, 0, resources & 0xf);
}

/* modes: bit 0 clean, bit 1 invalidate */
static inline __u64 csf_flush_cache2(__u8 l2, __u8 lsc, __u8 other, __u8 flush_id, __u8 signal)
{
	return csf_instr(CSF_OP_FLUSH_CACHE2, signal & 0xf, flush_id, 0,
			 (other & 0xf) << 8 | (lsc & 0xf) << 4 | (l2 & 0xf));
}

/* any SYNC_ADD or SYNC_SET */
static inline __u64 csf_sync_op(__u8 op, __u8 addr, __u8 data, __u8 scope, int propagate)
{
	return csf_instr(op, 0, addr, data, (scope & 3) << 1 | (propagate ? 1 : 0));
}

static inline __u64 csf_sync_add32(__u8 addr, __u8 data)
{
	return csf_sync_op(CSF_OP_SYNC_ADD32, addr, data, CSF_SYNC_SCOPE_SYSTEM, 0);
}

static inline __u64 csf_sync_set32(__u8 addr, __u8 data)
{
	return csf_sync_op(CSF_OP_SYNC_SET32, addr, data, CSF_SYNC_SCOPE_SYSTEM, 0);
}

static inline __u64 csf_sync_add64(__u8 addr, __u8 data)
{
	return csf_sync_op(CSF_OP_SYNC_ADD64, addr, data, CSF_SYNC_SCOPE_SYSTEM, 0);
}

static inline __u64 csf_sync_set64(__u8 addr, __u8 data)
{
	return csf_sync_op(CSF_OP_SYNC_SET64, addr, data, CSF_SYNC_SCOPE_SYSTEM, 0);
}

static inline __u64 csf_sync_wait32(__u8 cond, __u8 addr, __u8 data, int reject)
{
	return csf_instr(CSF_OP_SYNC_WAIT32, 0, addr, data, (__u32)cond << 28 | (reject ? 1 : 0));
}

static inline __u64 csf_sync_wait64(__u8 cond, __u8 addr, __u8 data, int reject)
{
	return csf_instr(CSF_OP_SYNC_WAIT64, 0, addr, data, (__u32)cond << 28 | (reject ? 1 : 0));
}

static inline __u64 csf_store_state(__u8 addr, __u8 state, __s16 offset)
{
	return csf_instr(CSF_OP_STORE_STATE, 0, addr, state & 3, (__u16)offset);
}

static inline __u64 csf_error_barrier(void)
{
	return csf_instr(CSF_OP_ERROR_BARRIER, 0, 0, 0, 0);
}

static inline __u64 csf_heap_set(__u8 addr)
{
	return csf_instr(CSF_OP_HEAP_SET, 0, addr, 0, 0);
}

static inline __u64 csf_heap_operation(__u8 op)
{
	return csf_instr(CSF_OP_HEAP_OPERATION, 0, 0, op & 3, 0);
}

static inline __u64 csf_range_fill(__u8 seed, __u8 dst, __u8 len)
{
	return csf_instr(CSF_OP_RANGE_FILL, seed, dst, len, 0);
}

static inline __u64 csf_range_sum(__u8 result, __u8 src, __u8 len)
{
	return csf_instr(CSF_OP_RANGE_SUM, result, src, len, 0);
}

static inline __u64 csf_range_copy(__u8 dst, __u8 src, __u8 len)
{
	return csf_instr(CSF_OP_RANGE_COPY, dst, src, len, 0);
}

static inline __u64 csf_range_verify(__u8 seed_and_count, __u8 src, __u8 len)
{
	return csf_instr(CSF_OP_RANGE_VERIFY, seed_and_count, src, len, 0);
}

#endif
