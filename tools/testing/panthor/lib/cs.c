// SPDX-License-Identifier: GPL-2.0
/*
 * Command stream builder.
 */
#include <errno.h>
#include <string.h>

#include "pan_cs.h"

#define ALL_SLOTS	0xff
#define ILLEGAL_OPCODE	0xff
#define FLUSH_BOTH	3
#define FLUSH_INVAL	2

/* Masks of LOAD_MULTIPLE and STORE_MULTIPLE */
#define ONE_REG		0x1
#define TWO_REGS	0x3

/**
 * pan_cs_init() - Start an empty stream.
 * @cs: stream
 */
void pan_cs_init(struct pan_cs *cs)
{
	cs->count = 0;
	cs->err = 0;
}

/**
 * pan_cs_emit() - Append an instruction.
 * @cs: stream
 * @word: instruction
 */
void pan_cs_emit(struct pan_cs *cs, __u64 word)
{
	if (cs->count == PAN_CS_WORDS)
		cs->err = -ENOSPC;
	else
		cs->words[cs->count++] = word;
}

/**
 * pan_cs_size() - Size of a stream.
 * @cs: stream
 *
 * Return: bytes.
 */
__u32 pan_cs_size(const struct pan_cs *cs)
{
	return cs->count * sizeof(cs->words[0]);
}

static void wait_all(struct pan_cs *cs)
{
	pan_cs_emit(cs, csf_wait(ALL_SLOTS));
}

/**
 * pan_cs_set32() - Set a register.
 * @cs: stream
 * @reg: register
 * @value: value
 */
void pan_cs_set32(struct pan_cs *cs, __u8 reg, __u32 value)
{
	pan_cs_emit(cs, csf_move32(reg, value));
}

/**
 * pan_cs_set64() - Set a register pair.
 * @cs: stream
 * @pair: register pair
 * @value: value
 */
void pan_cs_set64(struct pan_cs *cs, __u8 pair, __u64 value)
{
	if (value >> 48) {
		pan_cs_set32(cs, pair, value);
		pan_cs_set32(cs, pair + 1, value >> 32);
	} else {
		pan_cs_emit(cs, csf_move48(pair, value));
	}
}

static void store_mask(struct pan_cs *cs, __u8 reg, __u64 va, __u16 mask)
{
	pan_cs_set64(cs, PAN_SCRATCH_ADDR, va);
	pan_cs_emit(cs, csf_store_multiple(reg, PAN_SCRATCH_ADDR, mask, 0));
	wait_all(cs);
}

static void load_mask(struct pan_cs *cs, __u8 reg, __u64 va, __u16 mask)
{
	pan_cs_set64(cs, PAN_SCRATCH_ADDR, va);
	pan_cs_emit(cs, csf_load_multiple(reg, PAN_SCRATCH_ADDR, mask, 0));
	wait_all(cs);
}

/**
 * pan_cs_store_reg() - Store a register.
 * @cs: stream
 * @reg: register
 * @va: GPU address
 */
void pan_cs_store_reg(struct pan_cs *cs, __u8 reg, __u64 va)
{
	store_mask(cs, reg, va, ONE_REG);
}

/**
 * pan_cs_store_pair() - Store a register pair.
 * @cs: stream
 * @pair: register pair
 * @va: GPU address
 */
void pan_cs_store_pair(struct pan_cs *cs, __u8 pair, __u64 va)
{
	store_mask(cs, pair, va, TWO_REGS);
}

/**
 * pan_cs_load_pair() - Load a register pair.
 * @cs: stream
 * @pair: register pair
 * @va: GPU address
 */
void pan_cs_load_pair(struct pan_cs *cs, __u8 pair, __u64 va)
{
	load_mask(cs, pair, va, TWO_REGS);
}

/**
 * pan_cs_store32() - Store a 32-bit value.
 * @cs: stream
 * @va: GPU address
 * @value: value
 */
void pan_cs_store32(struct pan_cs *cs, __u64 va, __u32 value)
{
	pan_cs_set32(cs, PAN_SCRATCH_VALUE, value);
	pan_cs_store_reg(cs, PAN_SCRATCH_VALUE, va);
}

/**
 * pan_cs_store64() - Store a 64-bit value.
 * @cs: stream
 * @va: GPU address
 * @value: value
 */
void pan_cs_store64(struct pan_cs *cs, __u64 va, __u64 value)
{
	pan_cs_set64(cs, PAN_SCRATCH_VALUE, value);
	pan_cs_store_pair(cs, PAN_SCRATCH_VALUE, va);
}

/**
 * pan_cs_copy64() - Copy a 64-bit word with a load and a store.
 * @cs: stream
 * @dst: GPU address
 * @src: GPU address
 */
void pan_cs_copy64(struct pan_cs *cs, __u64 dst, __u64 src)
{
	pan_cs_load_pair(cs, PAN_SCRATCH_VALUE, src);
	pan_cs_store_pair(cs, PAN_SCRATCH_VALUE, dst);
}

/**
 * pan_cs_fill() - RANGE_FILL.
 * @cs: stream
 * @va: GPU address
 * @len: bytes
 * @seed: seed
 */
void pan_cs_fill(struct pan_cs *cs, __u64 va, __u64 len, __u64 seed)
{
	pan_cs_set64(cs, PAN_SCRATCH_ADDR, va);
	pan_cs_set64(cs, PAN_SCRATCH_VALUE, seed);
	pan_cs_set64(cs, PAN_SCRATCH_LEN, len);
	pan_cs_emit(cs, csf_range_fill(PAN_SCRATCH_VALUE, PAN_SCRATCH_ADDR, PAN_SCRATCH_LEN));
}

/**
 * pan_cs_verify() - RANGE_VERIFY, and store the number of wrong words.
 * @cs: stream
 * @va: GPU address
 * @len: bytes
 * @seed: seed
 * @result_va: where the 64-bit result goes
 */
void pan_cs_verify(struct pan_cs *cs, __u64 va, __u64 len, __u64 seed, __u64 result_va)
{
	pan_cs_set64(cs, PAN_SCRATCH_ADDR, va);
	pan_cs_set64(cs, PAN_SCRATCH_VALUE, seed);
	pan_cs_set64(cs, PAN_SCRATCH_LEN, len);
	pan_cs_emit(cs, csf_range_verify(PAN_SCRATCH_VALUE, PAN_SCRATCH_ADDR, PAN_SCRATCH_LEN));
	pan_cs_store_pair(cs, PAN_SCRATCH_VALUE, result_va);
}

/**
 * pan_cs_sum() - RANGE_SUM, and store the sum.
 * @cs: stream
 * @va: GPU address
 * @len: bytes
 * @result_va: where the 64-bit result goes
 */
void pan_cs_sum(struct pan_cs *cs, __u64 va, __u64 len, __u64 result_va)
{
	pan_cs_set64(cs, PAN_SCRATCH_ADDR, va);
	pan_cs_set64(cs, PAN_SCRATCH_LEN, len);
	pan_cs_emit(cs, csf_range_sum(PAN_SCRATCH_VALUE, PAN_SCRATCH_ADDR, PAN_SCRATCH_LEN));
	pan_cs_store_pair(cs, PAN_SCRATCH_VALUE, result_va);
}

/**
 * pan_cs_copy() - RANGE_COPY.
 * @cs: stream
 * @dst: GPU address
 * @src: GPU address
 * @len: bytes
 */
void pan_cs_copy(struct pan_cs *cs, __u64 dst, __u64 src, __u64 len)
{
	pan_cs_set64(cs, PAN_SCRATCH_DST, dst);
	pan_cs_set64(cs, PAN_SCRATCH_ADDR, src);
	pan_cs_set64(cs, PAN_SCRATCH_LEN, len);
	pan_cs_emit(cs, csf_range_copy(PAN_SCRATCH_DST, PAN_SCRATCH_ADDR, PAN_SCRATCH_LEN));
}

static void sync_operands(struct pan_cs *cs, __u64 va, __u64 value)
{
	pan_cs_set64(cs, PAN_SCRATCH_ADDR, va);
	pan_cs_set64(cs, PAN_SCRATCH_VALUE, value);
}

/**
 * pan_cs_sync_set32() - SYNC_SET32.
 * @cs: stream
 * @va: GPU address of the sync object (8 bytes)
 * @value: value
 */
void pan_cs_sync_set32(struct pan_cs *cs, __u64 va, __u32 value)
{
	sync_operands(cs, va, value);
	pan_cs_emit(cs, csf_sync_set32(PAN_SCRATCH_ADDR, PAN_SCRATCH_VALUE));
}

/**
 * pan_cs_sync_set64() - SYNC_SET64.
 * @cs: stream
 * @va: GPU address of the sync object (16 bytes)
 * @value: value
 */
void pan_cs_sync_set64(struct pan_cs *cs, __u64 va, __u64 value)
{
	sync_operands(cs, va, value);
	pan_cs_emit(cs, csf_sync_set64(PAN_SCRATCH_ADDR, PAN_SCRATCH_VALUE));
}

/**
 * pan_cs_sync_add32() - SYNC_ADD32.
 * @cs: stream
 * @va: GPU address of the sync object (8 bytes)
 * @value: summand
 */
void pan_cs_sync_add32(struct pan_cs *cs, __u64 va, __u32 value)
{
	sync_operands(cs, va, value);
	pan_cs_emit(cs, csf_sync_add32(PAN_SCRATCH_ADDR, PAN_SCRATCH_VALUE));
}

/**
 * pan_cs_sync_add64() - SYNC_ADD64.
 * @cs: stream
 * @va: GPU address of the sync object (16 bytes)
 * @value: summand
 */
void pan_cs_sync_add64(struct pan_cs *cs, __u64 va, __u64 value)
{
	sync_operands(cs, va, value);
	pan_cs_emit(cs, csf_sync_add64(PAN_SCRATCH_ADDR, PAN_SCRATCH_VALUE));
}

/**
 * pan_cs_wait_gt32() - Wait until a 32-bit sync object exceeds a value.
 * @cs: stream
 * @va: GPU address of the sync object
 * @value: value
 */
void pan_cs_wait_gt32(struct pan_cs *cs, __u64 va, __u32 value)
{
	sync_operands(cs, va, value);
	pan_cs_emit(cs, csf_sync_wait32(CSF_COND_GT, PAN_SCRATCH_ADDR, PAN_SCRATCH_VALUE, 0));
}

/**
 * pan_cs_wait_gt64() - Wait until a 64-bit sync object exceeds a value.
 * @cs: stream
 * @va: GPU address of the sync object
 * @value: value
 */
void pan_cs_wait_gt64(struct pan_cs *cs, __u64 va, __u64 value)
{
	sync_operands(cs, va, value);
	pan_cs_emit(cs, csf_sync_wait64(CSF_COND_GT, PAN_SCRATCH_ADDR, PAN_SCRATCH_VALUE, 0));
}

/**
 * pan_cs_flush() - Clean and invalidate all GPU caches.
 * @cs: stream
 */
void pan_cs_flush(struct pan_cs *cs)
{
	pan_cs_set32(cs, PAN_SCRATCH_VALUE, 0);
	pan_cs_emit(cs, csf_flush_cache2(FLUSH_BOTH, FLUSH_BOTH, FLUSH_INVAL,
					 PAN_SCRATCH_VALUE, 1));
	wait_all(cs);
}

/**
 * pan_cs_illegal() - An instruction that does not exist.
 * @cs: stream
 */
void pan_cs_illegal(struct pan_cs *cs)
{
	pan_cs_emit(cs, csf_instr(ILLEGAL_OPCODE, 0, 0, 0, 0));
}

/**
 * pan_cs_call() - Call another stream.
 * @cs: stream
 * @va: GPU address of the other one
 * @size: its bytes
 */
void pan_cs_call(struct pan_cs *cs, __u64 va, __u32 size)
{
	pan_cs_set64(cs, PAN_SCRATCH_ADDR, va);
	pan_cs_set32(cs, PAN_SCRATCH_LEN, size);
	pan_cs_emit(cs, csf_call(PAN_SCRATCH_ADDR, PAN_SCRATCH_LEN));
}

/**
 * pan_cs_jump() - Go on with another stream.
 * @cs: stream
 * @va: GPU address of the other one
 * @size: its bytes
 */
void pan_cs_jump(struct pan_cs *cs, __u64 va, __u32 size)
{
	pan_cs_set64(cs, PAN_SCRATCH_ADDR, va);
	pan_cs_set32(cs, PAN_SCRATCH_LEN, size);
	pan_cs_emit(cs, csf_jump(PAN_SCRATCH_ADDR, PAN_SCRATCH_LEN));
}

/**
 * pan_cs_here() - Position of the next instruction, a target for branches.
 * @cs: stream
 *
 * Return: index of the instruction.
 */
__u32 pan_cs_here(const struct pan_cs *cs)
{
	return cs->count;
}

static __u64 branch(__u8 cond, __u8 reg, __u32 from, __u32 to)
{
	return csf_branch(cond, reg, (__s16)(to - from - 1));
}

/**
 * pan_cs_branch() - Branch backwards.
 * @cs: stream
 * @cond: CSF_COND_*
 * @reg: register to compare with 0
 * @target: from pan_cs_here()
 */
void pan_cs_branch(struct pan_cs *cs, __u8 cond, __u8 reg, __u32 target)
{
	pan_cs_emit(cs, branch(cond, reg, cs->count, target));
}

/**
 * pan_cs_branch_forward() - Branch to where pan_cs_land() will be called.
 * @cs: stream
 * @cond: CSF_COND_*
 * @reg: register to compare with 0
 *
 * Return: the branch, for pan_cs_land().
 */
__u32 pan_cs_branch_forward(struct pan_cs *cs, __u8 cond, __u8 reg)
{
	__u32 at = cs->count;

	pan_cs_emit(cs, csf_branch(cond, reg, 0));
	return at;
}

/**
 * pan_cs_land() - Target of a forward branch.
 * @cs: stream
 * @branch: from pan_cs_branch_forward()
 */
void pan_cs_land(struct pan_cs *cs, __u32 branch)
{
	if (branch < cs->count)
		cs->words[branch] |= (__u16)(cs->count - branch - 1);
}

/**
 * pan_cs_spin() - An endless loop.
 * @cs: stream
 */
void pan_cs_spin(struct pan_cs *cs)
{
	pan_cs_branch(cs, CSF_COND_ALWAYS, 0, pan_cs_here(cs));
}

/**
 * pan_cs_delay() - A loop that takes some time.
 * @cs: stream
 * @rounds: two instructions each
 */
void pan_cs_delay(struct pan_cs *cs, __u32 rounds)
{
	__u32 loop;

	pan_cs_set32(cs, PAN_SCRATCH_LEN, rounds);
	loop = pan_cs_here(cs);
	pan_cs_emit(cs, csf_add_imm32(PAN_SCRATCH_LEN, PAN_SCRATCH_LEN, -1));
	pan_cs_branch(cs, CSF_COND_GT, PAN_SCRATCH_LEN, loop);
}
