/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Command stream builder.
 *
 * Emitters append one or a few instructions. A buffer that is too small is
 * remembered in pan_cs.err, so that only the user of a finished stream has to
 * look at it. Where an emitter takes registers, "pair" is the even register of
 * a 64-bit pair. Emitters that take values instead of registers clobber the
 * PAN_SCRATCH registers.
 */
#ifndef PAN_CS_H
#define PAN_CS_H

#include <linux/types.h>

#include "mali_csf_model_uapi.h"

/* Used by emitters that take values: an address, a value or seed, a length. */
#define PAN_SCRATCH_ADDR	80
#define PAN_SCRATCH_VALUE	82
#define PAN_SCRATCH_LEN		84
#define PAN_SCRATCH_DST		86

/* Registers that no emitter and no kernel touches: r0 to r79. */
#define PAN_CS_WORDS		512

/**
 * struct pan_cs - A command stream under construction.
 * @words: instructions
 * @count: their number
 * @err: 0, or -ENOSPC once an instruction did not fit
 */
struct pan_cs {
	__u64 words[PAN_CS_WORDS];
	__u32 count;
	int err;
};

/* cs.c */
void pan_cs_init(struct pan_cs *cs);
void pan_cs_emit(struct pan_cs *cs, __u64 word);
__u32 pan_cs_size(const struct pan_cs *cs);

void pan_cs_set32(struct pan_cs *cs, __u8 reg, __u32 value);
void pan_cs_set64(struct pan_cs *cs, __u8 pair, __u64 value);

void pan_cs_store_reg(struct pan_cs *cs, __u8 reg, __u64 va);
void pan_cs_store_pair(struct pan_cs *cs, __u8 pair, __u64 va);
void pan_cs_load_pair(struct pan_cs *cs, __u8 pair, __u64 va);
void pan_cs_store32(struct pan_cs *cs, __u64 va, __u32 value);
void pan_cs_store64(struct pan_cs *cs, __u64 va, __u64 value);
void pan_cs_copy64(struct pan_cs *cs, __u64 dst, __u64 src);

void pan_cs_fill(struct pan_cs *cs, __u64 va, __u64 len, __u64 seed);
void pan_cs_verify(struct pan_cs *cs, __u64 va, __u64 len, __u64 seed, __u64 result_va);
void pan_cs_sum(struct pan_cs *cs, __u64 va, __u64 len, __u64 result_va);
void pan_cs_copy(struct pan_cs *cs, __u64 dst, __u64 src, __u64 len);

void pan_cs_sync_set32(struct pan_cs *cs, __u64 va, __u32 value);
void pan_cs_sync_set64(struct pan_cs *cs, __u64 va, __u64 value);
void pan_cs_sync_add32(struct pan_cs *cs, __u64 va, __u32 value);
void pan_cs_sync_add64(struct pan_cs *cs, __u64 va, __u64 value);
void pan_cs_wait_gt32(struct pan_cs *cs, __u64 va, __u32 value);
void pan_cs_wait_gt64(struct pan_cs *cs, __u64 va, __u64 value);

void pan_cs_flush(struct pan_cs *cs);
void pan_cs_illegal(struct pan_cs *cs);
void pan_cs_call(struct pan_cs *cs, __u64 va, __u32 size);
void pan_cs_jump(struct pan_cs *cs, __u64 va, __u32 size);
__u32 pan_cs_here(const struct pan_cs *cs);
void pan_cs_branch(struct pan_cs *cs, __u8 cond, __u8 reg, __u32 target);
__u32 pan_cs_branch_forward(struct pan_cs *cs, __u8 cond, __u8 reg);
void pan_cs_land(struct pan_cs *cs, __u32 branch);
void pan_cs_spin(struct pan_cs *cs);
void pan_cs_delay(struct pan_cs *cs, __u32 rounds);

#endif /* PAN_CS_H */
