// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the command stream interpreter: every opcode, its faults, and
 * the promise that a stream can be stopped and taken elsewhere at any time.
 *
 * The stream runs on a little flat memory; one page of it can be made to
 * fault. No other part of the model is involved.
 */
#include <kunit/test.h>
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "cs.h"

#define MEM_VA		0x10000000ULL
#define MEM_SIZE	SZ_512K

#define RING_SIZE	SZ_4K
#define RING_VA		MEM_VA
#define CODE_VA		(MEM_VA + SZ_4K)	/* several pages of instructions */
#define SYNC_VA		(MEM_VA + SZ_32K)
#define DATA_VA		(MEM_VA + SZ_64K)

#define NO_PAGE		U64_MAX

/* Registers of the tests: address, data or length, result */
#define RA		64
#define RD		66
#define RR		68

#define TEST_TIMESTAMP	0x1122334455667788ULL
#define TEST_CYCLES	0x99aabbccddeeff00ULL

/**
 * struct cs_ctx - a stream and its surroundings
 * @cs: the stream
 * @test: to report misuse of the ops
 * @mem: memory at MEM_VA
 * @bad_page: GPU address of a page whose accesses fail
 * @code_end: where code() goes on
 * @reads: read accesses
 * @read_end: highest address behind one
 * @writes: successful write accesses
 * @last_write: address of the last one
 * @last_len: its length
 * @system_syncs: sync updates of system scope
 * @csg_syncs: other sync updates
 * @flushes: cache flushes
 * @oom_calls: calls of the tiler heap hook
 * @oom_result: what it answers
 */
struct cs_ctx {
	struct csf_cs cs;
	struct kunit *test;
	u8 *mem;
	u64 bad_page;
	u64 code_end;
	unsigned int reads;
	u64 read_end;
	unsigned int writes;
	u64 last_write;
	size_t last_len;
	unsigned int system_syncs;
	unsigned int csg_syncs;
	unsigned int flushes;
	unsigned int oom_calls;
	int oom_result;
};

static int access(struct cs_ctx *c, u64 va, size_t len)
{
	KUNIT_EXPECT_GT(c->test, len, 0);
	KUNIT_EXPECT_EQ(c->test, va / SZ_4K, (va + len - 1) / SZ_4K);
	if (va < MEM_VA || va + len > MEM_VA + MEM_SIZE)
		return -EFAULT;
	return ALIGN_DOWN(va, SZ_4K) == c->bad_page ? -EFAULT : 0;
}

static int test_read(void *ctx, u64 va, void *buf, size_t len)
{
	struct cs_ctx *c = ctx;
	int err = access(c, va, len);

	c->reads++;
	c->read_end = max(c->read_end, va + len);
	if (!err)
		memcpy(buf, c->mem + (va - MEM_VA), len);
	return err;
}

static int test_write(void *ctx, u64 va, const void *buf, size_t len)
{
	struct cs_ctx *c = ctx;
	int err = access(c, va, len);

	if (err)
		return err;
	c->writes++;
	c->last_write = va;
	c->last_len = len;
	memcpy(c->mem + (va - MEM_VA), buf, len);
	return 0;
}

static void test_sync_update(void *ctx, bool system_scope)
{
	struct cs_ctx *c = ctx;

	if (system_scope)
		c->system_syncs++;
	else
		c->csg_syncs++;
}

static void test_cache_flush(void *ctx)
{
	struct cs_ctx *c = ctx;

	c->flushes++;
}

static u64 test_timestamp(void *ctx)
{
	return TEST_TIMESTAMP;
}

static u64 test_cycles(void *ctx)
{
	return TEST_CYCLES;
}

static int test_tiler_oom(void *ctx)
{
	struct cs_ctx *c = ctx;

	c->oom_calls++;
	return c->oom_result;
}

static const struct csf_cs_ops test_ops = {
	.read = test_read,
	.write = test_write,
	.sync_update = test_sync_update,
	.cache_flush = test_cache_flush,
	.timestamp = test_timestamp,
	.cycles = test_cycles,
	.tiler_oom = test_tiler_oom,
};

/* Optional ones left out */
static const struct csf_cs_ops minimal_ops = {
	.read = test_read,
	.write = test_write,
};

static struct cs_ctx *new_ctx(struct kunit *test)
{
	struct cs_ctx *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	c->cs.ops = &test_ops;
	c->cs.ctx = c;
	c->bad_page = NO_PAGE;
	c->code_end = CODE_VA;
	return c;
}

static int cs_test_init(struct kunit *test)
{
	struct cs_ctx *c = new_ctx(test);

	c->mem = kunit_kzalloc(test, MEM_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, c->mem);
	KUNIT_ASSERT_EQ(test, csf_cs_start(&c->cs, RING_VA, RING_SIZE, 0), 0);
	test->priv = c;
	return 0;
}

static u32 *mem32(struct cs_ctx *c, u64 va)
{
	return (u32 *)(c->mem + (va - MEM_VA));
}

static u64 *mem64(struct cs_ctx *c, u64 va)
{
	return (u64 *)(c->mem + (va - MEM_VA));
}

static u64 pair_of(const struct csf_cs_state *state, unsigned int reg)
{
	return state->regs[reg] | (u64)state->regs[reg + 1] << 32;
}

static void set_pair_of(struct csf_cs_state *state, unsigned int reg, u64 value)
{
	state->regs[reg] = value;
	state->regs[reg + 1] = value >> 32;
}

static u64 get_pair(struct cs_ctx *c, unsigned int reg)
{
	return pair_of(&c->cs.state, reg);
}

static void put_pair(struct cs_ctx *c, unsigned int reg, u64 value)
{
	set_pair_of(&c->cs.state, reg, value);
}

/* Append to the ring */
static void emit(struct cs_ctx *c, u64 instr)
{
	*mem64(c, RING_VA + (c->cs.insert & (RING_SIZE - 1))) = instr;
	c->cs.insert += sizeof(instr);
}

/* Append to the code outside of the ring; returns the instruction's address */
static u64 code(struct cs_ctx *c, u64 instr)
{
	u64 va = c->code_end;

	*mem64(c, va) = instr;
	c->code_end += sizeof(instr);
	return va;
}

/* Three instructions that call @len bytes at @va, through r80..r82 */
#define CALL_ADDR	80
#define CALL_LEN	82

static void emit_call(struct cs_ctx *c, u64 va, u32 len)
{
	emit(c, csf_move48(CALL_ADDR, va));
	emit(c, csf_move32(CALL_LEN, len));
	emit(c, csf_call(CALL_ADDR, CALL_LEN));
}

static void code_call(struct cs_ctx *c, u64 va, u32 len)
{
	code(c, csf_move48(CALL_ADDR, va));
	code(c, csf_move32(CALL_LEN, len));
	code(c, csf_call(CALL_ADDR, CALL_LEN));
}

static enum csf_cs_result run(struct cs_ctx *c)
{
	enum csf_cs_result result = CSF_CS_RUNNING;

	for (int i = 0; i < 10000 && result == CSF_CS_RUNNING; i++)
		result = csf_cs_step(&c->cs, 64);
	return result;
}

static void expect_fatal(struct cs_ctx *c, u32 type, u64 info, u64 pc)
{
	struct kunit *test = c->test;

	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_FATAL);
	KUNIT_EXPECT_EQ(test, c->cs.exception.type, type);
	KUNIT_EXPECT_EQ(test, c->cs.exception.info, info);
	KUNIT_EXPECT_EQ(test, csf_cs_pc(&c->cs), pc);
}

/* Execute one instruction that kills the stream */
static void expect_invalid(struct cs_ctx *c, u64 instr)
{
	u64 pc = RING_VA + (c->cs.insert & (RING_SIZE - 1));

	emit(c, instr);
	expect_fatal(c, CSF_EXC_CS_INSTR_INVALID, instr, pc);
	KUNIT_EXPECT_EQ(c->test, c->cs.state.extract, c->cs.insert - sizeof(instr));
}

static void restart(struct cs_ctx *c)
{
	KUNIT_ASSERT_EQ(c->test, csf_cs_start(&c->cs, RING_VA, RING_SIZE, 0), 0);
}

/* The pattern is splitmix64: compare with published values for seed 0. */
static void cs_test_pattern(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, csf_pattern(0, 0), 0xe220a8397b1dcdafULL);
	KUNIT_EXPECT_EQ(test, csf_pattern(0, 1), 0x6e789e6aa1b965f4ULL);
	KUNIT_EXPECT_EQ(test, csf_pattern(0, 2), 0x06c45d188009454fULL);
	KUNIT_EXPECT_NE(test, csf_pattern(1, 0), csf_pattern(0, 0));
}

/* Encoders give the words that the reference and the driver use. */
static void cs_test_encoding(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, csf_move48(92, 0xabcdef012345ULL), 0x015cabcdef012345ULL);
	KUNIT_EXPECT_EQ(test, csf_move32(94, 0xffffffff), 0x025e0000ffffffffULL);
	KUNIT_EXPECT_EQ(test, csf_flush_cache2(3, 3, 2, 94, 0), 0x24005e0000000233ULL);
	KUNIT_EXPECT_EQ(test, csf_wait(0xff), 0x0300000000ff0000ULL);
	KUNIT_EXPECT_EQ(test, csf_call(92, 94), 0x20005c5e00000000ULL);
	KUNIT_EXPECT_EQ(test,
			csf_sync_op(CSF_OP_SYNC_ADD64, 92, 94, CSF_SYNC_SCOPE_SYSTEM, 1),
			0x33005c5e00000001ULL);
	KUNIT_EXPECT_EQ(test, csf_error_barrier(), 0x2f00000000000000ULL);
	KUNIT_EXPECT_EQ(test, csf_branch(CSF_COND_ALWAYS, 0, -1), 0x160000006000ffffULL);
	KUNIT_EXPECT_EQ(test, csf_store_multiple(68, 66, 1, -4), 0x154442000001fffcULL);
	KUNIT_EXPECT_EQ(test, csf_store_state(92, CSF_STATE_CYCLE_COUNT, 0),
			0x28005c0100000000ULL);
	KUNIT_EXPECT_EQ(test, csf_add_imm32(1, 2, -1), 0x10010200ffffffffULL);
	KUNIT_EXPECT_EQ(test, csf_range_fill(68, 64, 66), 0xe044404200000000ULL);
}

/* A started stream has zero registers and an empty ring. */
static void cs_test_start(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	emit(c, csf_move32(5, 7));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[5], 7);

	KUNIT_EXPECT_EQ(test, csf_cs_start(&c->cs, RING_VA, RING_SIZE, 0x10008), 0);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[5], 0);
	KUNIT_EXPECT_TRUE(test, csf_cs_ring_empty(&c->cs));
	KUNIT_EXPECT_EQ(test, csf_cs_pc(&c->cs), RING_VA + 8);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_EMPTY);
}

struct ring_case {
	const char *name;
	u64 base;
	u32 size;
	u64 extract;
	bool ok;
};

static const struct ring_case ring_cases[] = {
	{ "4 KiB", RING_VA, SZ_4K, 0, true },
	{ "64 KiB", RING_VA, SZ_64K, 0, true },
	{ "ends at the limit", BIT_ULL(48) - SZ_4K, SZ_4K, 0, true },
	{ "no base", 0, SZ_4K, 0, false },
	{ "unaligned base", RING_VA + 4, SZ_4K, 0, false },
	{ "beyond 48 bits", BIT_ULL(48) - SZ_4K, SZ_8K, 0, false },
	{ "wraps around", ~7ULL, SZ_4K, 0, false },
	{ "no size", RING_VA, 0, 0, false },
	{ "small", RING_VA, SZ_2K, 0, false },
	{ "not a power of two", RING_VA, 3 * SZ_4K, 0, false },
	{ "unaligned extract", RING_VA, SZ_4K, 4, false },
};

static void ring_case_desc(const struct ring_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(ring, ring_cases, ring_case_desc);

/* A misconfigured ring is refused and the stream reports CS_CONFIG_FAULT. */
static void cs_test_ring_config(struct kunit *test)
{
	const struct ring_case *p = test->param_value;
	struct cs_ctx *c = test->priv;
	int err = csf_cs_start(&c->cs, p->base, p->size, p->extract);

	KUNIT_EXPECT_EQ(test, err, p->ok ? 0 : -EINVAL);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), p->ok ? CSF_CS_EMPTY : CSF_CS_FATAL);
	KUNIT_EXPECT_EQ(test, c->cs.exception.type, p->ok ? 0 : CSF_EXC_CS_CONFIG_FAULT);
}

/* An insert offset that the ring cannot hold is a configuration fault. */
static void cs_test_bad_insert(struct kunit *test)
{
	static const u64 bad[] = { 0xff8, 0x2008, 0x1004, 0 };
	struct cs_ctx *c = test->priv;

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_ASSERT_EQ(test, csf_cs_start(&c->cs, RING_VA, RING_SIZE, 0x1000), 0);
		c->cs.insert = bad[i];
		expect_fatal(c, CSF_EXC_CS_CONFIG_FAULT, bad[i], RING_VA);
	}
	/* Completely full is fine */
	restart(c);
	memset(c->mem, 0, RING_SIZE);
	c->cs.insert = RING_SIZE;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.extract, RING_SIZE);
}

/* More instructions than the ring holds, in portions, from an odd place. */
static void cs_test_ring_wrap(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const u64 start = 5 * RING_SIZE - 3 * sizeof(u64);

	KUNIT_ASSERT_EQ(test, csf_cs_start(&c->cs, RING_VA, RING_SIZE, start), 0);
	for (int i = 0; i < 200; i++) {
		for (int j = 0; j < 7; j++)
			emit(c, csf_add_imm32(1, 1, 1));
		KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	}
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 1400);
	KUNIT_EXPECT_EQ(test, c->cs.instructions, 1400);
	KUNIT_EXPECT_EQ(test, c->cs.state.extract, start + 1400 * sizeof(u64));
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 0);
}

/* The ring need not begin at a multiple of what is fetched at once. */
static void cs_test_ring_unaligned(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const u64 va = DATA_VA + 24;

	for (int i = 0; i < RING_SIZE / 8; i++)
		*mem64(c, va + 8 * i) = csf_add_imm32(1, 1, 1);
	*mem64(c, va + RING_SIZE) = csf_instr(0xff, 0, 0, 0, 0);
	KUNIT_ASSERT_EQ(test, csf_cs_start(&c->cs, va, RING_SIZE, SZ_4K - 8), 0);
	c->cs.insert = SZ_8K - 8;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], RING_SIZE / 8);
	KUNIT_EXPECT_EQ(test, c->read_end, va + RING_SIZE);
}

/* Only the budget is executed; 0 just asks. */
static void cs_test_budget(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	for (int i = 0; i < 10; i++)
		emit(c, csf_add_imm32(1, 1, 1));
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 0), CSF_CS_RUNNING);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 0);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_RUNNING);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 1);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 8), CSF_CS_RUNNING);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 9);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 10);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 0), CSF_CS_EMPTY);
}

/* MOVE48 zero-extends into a pair, MOVE32 touches one register. */
static void cs_test_move(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	memset(c->cs.state.regs, 0xff, sizeof(c->cs.state.regs));
	emit(c, csf_nop());
	emit(c, csf_move48(94, 0x876543210fedULL));
	emit(c, csf_move32(1, 0x80000001));
	emit(c, csf_move32(95, 0x12345678));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[94], 0x43210fed);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[95], 0x12345678);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 0x80000001);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[0], U32_MAX);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[2], U32_MAX);

	emit(c, csf_move48(94, 0x876543210fedULL));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[95], 0x8765);
}

/* ADD_IMM32 wraps, ADD_IMM64 carries and borrows, UMIN32 is unsigned. */
static void cs_test_arithmetic(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	c->cs.state.regs[1] = U32_MAX;
	put_pair(c, 2, 0xffffffff);
	put_pair(c, 4, 0x100000000ULL);
	emit(c, csf_add_imm32(10, 1, 2));
	emit(c, csf_add_imm32(11, 0, -1));
	emit(c, csf_add_imm64(12, 2, 1));
	emit(c, csf_add_imm64(14, 4, -1));
	emit(c, csf_add_imm64(16, 4, S32_MIN));
	emit(c, csf_umin32(18, 0, 1));
	emit(c, csf_umin32(19, 1, 2));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[10], 1);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[11], U32_MAX);
	KUNIT_EXPECT_EQ(test, get_pair(c, 12), 0x100000000ULL);
	KUNIT_EXPECT_EQ(test, get_pair(c, 14), 0xffffffffULL);
	KUNIT_EXPECT_EQ(test, get_pair(c, 16), 0x80000000ULL);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[18], 0);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[19], U32_MAX);
}

/* Contiguous, sparse (packed in memory) and empty masks; signed offsets. */
static void cs_test_load_store(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	for (int i = 0; i < 16; i++)
		*mem32(c, DATA_VA + 4 * i) = 0x1000 + i;
	put_pair(c, RA, DATA_VA + 32);
	emit(c, csf_load_multiple(0, RA, 0xffff, -32));
	emit(c, csf_load_multiple(20, RA, 0x8005, 0));
	emit(c, csf_load_multiple(95, RA, 1, 4));
	emit(c, csf_load_multiple(90, RA, 0, 1 << 8));
	emit(c, csf_store_multiple(0, RA, 0x4012, 0x7f00));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	for (int i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ(test, c->cs.state.regs[i], 0x1000 + i);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[20], 0x1008);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[21], 0);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[22], 0x1009);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[35], 0x100a);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[95], 0x1009);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[90], 0);
	KUNIT_EXPECT_EQ(test, *mem32(c, DATA_VA + 32 + 0x7f00), 0x1001);
	KUNIT_EXPECT_EQ(test, *mem32(c, DATA_VA + 32 + 0x7f04), 0x1004);
	KUNIT_EXPECT_EQ(test, *mem32(c, DATA_VA + 32 + 0x7f08), 0x100e);
	KUNIT_EXPECT_EQ(test, *mem32(c, DATA_VA + 32 + 0x7f0c), 0);
}

/* A load that faults on its second page can be repeated: even one that
 * overwrites its own address has changed nothing.
 */
static void cs_test_load_restart(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const u64 va = DATA_VA + SZ_4K - 8;

	for (int i = 0; i < 4; i++)
		*mem32(c, va + 4 * i) = 0x2000 + i;
	put_pair(c, RA, va);
	c->bad_page = DATA_VA + SZ_4K;
	emit(c, csf_load_multiple(RA, RA, 0xf, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, csf_cs_pc(&c->cs), RING_VA);
	KUNIT_EXPECT_EQ(test, get_pair(c, RA), va);
	KUNIT_EXPECT_EQ(test, c->cs.instructions, 0);

	c->bad_page = NO_PAGE;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	for (int i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, c->cs.state.regs[RA + i], 0x2000 + i);
}

/* A store that faults on its second page has written the first. */
static void cs_test_store_restart(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const u64 va = DATA_VA + SZ_4K - 8;

	for (int i = 0; i < 4; i++)
		c->cs.state.regs[i] = 0x3000 + i;
	put_pair(c, RA, va);
	c->bad_page = DATA_VA + SZ_4K;
	emit(c, csf_store_multiple(0, RA, 0xf, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 5), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, c->cs.state.extract, 0);
	KUNIT_EXPECT_EQ(test, *mem32(c, va + 4), 0x3001);
	KUNIT_EXPECT_EQ(test, *mem32(c, va + 8), 0);

	c->bad_page = NO_PAGE;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	for (int i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, *mem32(c, va + 4 * i), 0x3000 + i);
}

/* Every opcode that is not known is CS_INSTR_INVALID. */
static void cs_test_illegal_opcodes(struct kunit *test)
{
	static const u8 legal[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 17, 18, 20, 21, 22, 23, 24,
		25, 32, 33, 34, 36, 37, 38, 39, 40, 42, 43, 44, 47, 48, 49, 50,
		51, 52, 53, 0xe0, 0xe1, 0xe2, 0xe3,
	};
	struct cs_ctx *c = test->priv;

	for (int op = 0; op < 256; op++) {
		if (memchr(legal, op, sizeof(legal)))
			continue;
		restart(c);
		expect_invalid(c, csf_instr(op, 0, 0, 0, 0));
	}
}

struct invalid_case {
	const char *name;
	u64 instr;
};

/* RA is DATA_VA, RD is DATA_VA + 2, RR is 4096, r0 is 1, the rest 0 */
static const struct invalid_case invalid_cases[] = {
	{ "MOVE48 odd", CSF_INSTR(CSF_OP_MOVE48, 1, 0, 0, 0) },
	{ "MOVE48 r96", CSF_INSTR(CSF_OP_MOVE48, 96, 0, 0, 0) },
	{ "MOVE32 r96", CSF_INSTR(CSF_OP_MOVE32, 96, 0, 0, 0) },
	{ "MOVE32 r255", CSF_INSTR(CSF_OP_MOVE32, 255, 0, 0, 0) },
	{ "ADD_IMM32 dst", CSF_INSTR(CSF_OP_ADD_IMM32, 96, 0, 0, 0) },
	{ "ADD_IMM32 src", CSF_INSTR(CSF_OP_ADD_IMM32, 0, 96, 0, 0) },
	{ "ADD_IMM64 odd dst", CSF_INSTR(CSF_OP_ADD_IMM64, 3, 0, 0, 0) },
	{ "ADD_IMM64 odd src", CSF_INSTR(CSF_OP_ADD_IMM64, 0, 95, 0, 0) },
	{ "UMIN32 dst", CSF_INSTR(CSF_OP_UMIN32, 96, 0, 0, 0) },
	{ "UMIN32 src0", CSF_INSTR(CSF_OP_UMIN32, 0, 96, 0, 0) },
	{ "UMIN32 src1", CSF_INSTR(CSF_OP_UMIN32, 0, 0, 96, 0) },
	{ "LOAD odd address", CSF_INSTR(CSF_OP_LOAD_MULTIPLE, 0, 65, 0, 1 << 16) },
	{ "LOAD beyond r95", CSF_INSTR(CSF_OP_LOAD_MULTIPLE, 94, RA, 0, 7 << 16) },
	{ "LOAD r96", CSF_INSTR(CSF_OP_LOAD_MULTIPLE, 96, RA, 0, 0) },
	{ "LOAD unaligned", CSF_INSTR(CSF_OP_LOAD_MULTIPLE, 0, RD, 0, 1 << 16) },
	{ "LOAD unaligned offset", CSF_INSTR(CSF_OP_LOAD_MULTIPLE, 0, RA, 0, 1 << 16 | 1) },
	{ "STORE beyond r95", CSF_INSTR(CSF_OP_STORE_MULTIPLE, 81, RA, 0, 0xffffU << 16) },
	{ "STORE odd address", CSF_INSTR(CSF_OP_STORE_MULTIPLE, 0, 65, 0, 1 << 16) },
	{ "STORE unaligned", CSF_INSTR(CSF_OP_STORE_MULTIPLE, 0, RD, 0, 1 << 16) },
	{ "BRANCH in the ring", CSF_INSTR(CSF_OP_BRANCH, 0, 0, 0, 6 << 28) },
	{ "BRANCH r96", CSF_INSTR(CSF_OP_BRANCH, 0, 96, 0, 6 << 28) },
	{ "PROGRESS_WAIT odd", CSF_INSTR(CSF_OP_PROGRESS_WAIT, 0, 1, 0, 0) },
	{ "PROGRESS_STORE odd", CSF_INSTR(CSF_OP_PROGRESS_STORE, 0, 1, 0, 0) },
	{ "PROGRESS_LOAD odd", CSF_INSTR(CSF_OP_PROGRESS_LOAD, 1, 0, 0, 0) },
	{ "SET_EXCEPTION_HANDLER odd", CSF_INSTR(CSF_OP_SET_EXCEPTION_HANDLER, 0, 1, 0, 2) },
	{ "SET_EXCEPTION_HANDLER r96", CSF_INSTR(CSF_OP_SET_EXCEPTION_HANDLER, 0, 0, 96, 2) },
	{ "CALL odd address", CSF_INSTR(CSF_OP_CALL, 0, 65, 0, 0) },
	{ "CALL length r96", CSF_INSTR(CSF_OP_CALL, 0, RA, 96, 0) },
	{ "CALL unaligned", CSF_INSTR(CSF_OP_CALL, 0, RD, RR, 0) },
	{ "CALL unaligned length", CSF_INSTR(CSF_OP_CALL, 0, RA, 0, 0) },
	{ "JUMP in the ring", CSF_INSTR(CSF_OP_JUMP, 0, RA, RR, 0) },
	{ "FLUSH_CACHE2 r96", CSF_INSTR(CSF_OP_FLUSH_CACHE2, 0, 96, 0, 0) },
	{ "SYNC_ADD32 odd address", CSF_INSTR(CSF_OP_SYNC_ADD32, 0, 65, 0, 0) },
	{ "SYNC_ADD32 unaligned", CSF_INSTR(CSF_OP_SYNC_ADD32, 0, RD, 0, 0) },
	{ "SYNC_SET32 r96", CSF_INSTR(CSF_OP_SYNC_SET32, 0, RA, 96, 0) },
	{ "SYNC_SET32 unaligned", CSF_INSTR(CSF_OP_SYNC_SET32, 0, RD, 0, 0) },
	{ "SYNC_WAIT32 unaligned", CSF_INSTR(CSF_OP_SYNC_WAIT32, 0, RD, 0, 0) },
	{ "SYNC_WAIT32 condition", CSF_INSTR(CSF_OP_SYNC_WAIT32, 0, RA, 0, 2 << 28) },
	{ "SYNC_ADD64 odd data", CSF_INSTR(CSF_OP_SYNC_ADD64, 0, RA, 1, 0) },
	{ "SYNC_ADD64 unaligned", CSF_INSTR(CSF_OP_SYNC_ADD64, 0, RD, 0, 0) },
	{ "SYNC_SET64 odd data", CSF_INSTR(CSF_OP_SYNC_SET64, 0, RA, 1, 0) },
	{ "SYNC_SET64 unaligned", CSF_INSTR(CSF_OP_SYNC_SET64, 0, RD, 0, 0) },
	{ "SYNC_WAIT64 odd data", CSF_INSTR(CSF_OP_SYNC_WAIT64, 0, RA, 1, 0) },
	{ "SYNC_WAIT64 condition", CSF_INSTR(CSF_OP_SYNC_WAIT64, 0, RA, 0, 6 << 28) },
	{ "STORE_STATE odd", CSF_INSTR(CSF_OP_STORE_STATE, 0, 65, 0, 0) },
	{ "STORE_STATE unaligned", CSF_INSTR(CSF_OP_STORE_STATE, 0, RA, 0, 4) },
	{ "HEAP_SET odd", CSF_INSTR(CSF_OP_HEAP_SET, 0, 1, 0, 0) },
	{ "HEAP_OPERATION 2", CSF_INSTR(CSF_OP_HEAP_OPERATION, 0, 0, 2, 0) },
	{ "RANGE_FILL odd seed", CSF_INSTR(CSF_OP_RANGE_FILL, 1, RA, RR, 0) },
	{ "RANGE_FILL odd address", CSF_INSTR(CSF_OP_RANGE_FILL, 2, 65, RR, 0) },
	{ "RANGE_FILL odd length", CSF_INSTR(CSF_OP_RANGE_FILL, 2, RA, 69, 0) },
	{ "RANGE_FILL r96", CSF_INSTR(CSF_OP_RANGE_FILL, 96, RA, RR, 0) },
	{ "RANGE_FILL unaligned", CSF_INSTR(CSF_OP_RANGE_FILL, 2, RD, RR, 0) },
	{ "RANGE_FILL unaligned length", CSF_INSTR(CSF_OP_RANGE_FILL, 2, RA, 0, 0) },
	{ "RANGE_SUM unaligned", CSF_INSTR(CSF_OP_RANGE_SUM, 2, RD, RR, 0) },
	{ "RANGE_COPY unaligned src", CSF_INSTR(CSF_OP_RANGE_COPY, RA, RD, RR, 0) },
	{ "RANGE_COPY unaligned dst", CSF_INSTR(CSF_OP_RANGE_COPY, RD, RA, RR, 0) },
	{ "RANGE_VERIFY unaligned", CSF_INSTR(CSF_OP_RANGE_VERIFY, 2, RD, RR, 0) },
};

static void invalid_case_desc(const struct invalid_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(invalid, invalid_cases, invalid_case_desc);

/* A bad operand kills the stream there and changes nothing. */
static void cs_test_invalid_operand(struct kunit *test)
{
	const struct invalid_case *p = test->param_value;
	struct cs_ctx *c = test->priv;
	u32 regs[CSF_NUM_REGS];

	c->cs.state.regs[0] = 1;
	put_pair(c, RA, DATA_VA);
	put_pair(c, RD, DATA_VA + 2);
	put_pair(c, RR, SZ_4K);
	memcpy(regs, c->cs.state.regs, sizeof(regs));
	expect_invalid(c, p->instr);
	KUNIT_EXPECT_MEMEQ(test, regs, c->cs.state.regs, sizeof(regs));
	KUNIT_EXPECT_EQ(test, c->writes, 0);
	KUNIT_EXPECT_EQ(test, c->cs.instructions, 0);
}

/* Valid operands next to those limits are accepted. */
static void cs_test_last_registers(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	put_pair(c, RA, DATA_VA);
	emit(c, csf_store_multiple(80, RA, 0xffff, 0));
	emit(c, csf_load_multiple(80, RA, 0xffff, 0));
	emit(c, csf_load_multiple(95, RA, 1, 0));
	emit(c, csf_add_imm64(94, 94, 0));
	emit(c, csf_umin32(95, 95, 95));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
}

/* A dead stream stays dead, whatever is added to the ring, until restarted. */
static void cs_test_fatal_sticks(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const u64 bad = csf_instr(0xff, 1, 2, 3, 4);

	expect_invalid(c, bad);
	emit(c, csf_move32(1, 1));
	expect_fatal(c, CSF_EXC_CS_INSTR_INVALID, bad, RING_VA);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 0);

	restart(c);
	emit(c, csf_move32(1, 1));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 1);
}

/* csf_cs_kill() ends a stream from outside, a stalled one as well. */
static void cs_test_kill(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	put_pair(c, RA, DATA_VA);
	c->bad_page = DATA_VA;
	emit(c, csf_load_multiple(0, RA, 1, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	csf_cs_kill(&c->cs, CSF_EXC_CS_BUS_FAULT, DATA_VA);
	c->bad_page = NO_PAGE;
	expect_fatal(c, CSF_EXC_CS_BUS_FAULT, DATA_VA, RING_VA);
}

struct branch_case {
	u8 cond;
	s32 value;
	bool taken;
};

static const struct branch_case branch_cases[] = {
	{ CSF_COND_LE, -1, true }, { CSF_COND_LE, 0, true }, { CSF_COND_LE, 1, false },
	{ CSF_COND_GT, -1, false }, { CSF_COND_GT, 0, false }, { CSF_COND_GT, 1, true },
	{ CSF_COND_EQ, -1, false }, { CSF_COND_EQ, 0, true }, { CSF_COND_EQ, 1, false },
	{ CSF_COND_NE, -1, true }, { CSF_COND_NE, 0, false }, { CSF_COND_NE, 1, true },
	{ CSF_COND_LT, -1, true }, { CSF_COND_LT, 0, false }, { CSF_COND_LT, 1, false },
	{ CSF_COND_GE, -1, false }, { CSF_COND_GE, 0, true }, { CSF_COND_GE, 1, true },
	{ CSF_COND_ALWAYS, -1, true }, { CSF_COND_ALWAYS, 0, true },
	{ CSF_COND_ALWAYS, S32_MAX, true }, { CSF_COND_LT, S32_MIN, true },
};

static void branch_case_desc(const struct branch_case *p, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "condition %u value %d", p->cond, p->value);
}

KUNIT_ARRAY_PARAM(branch, branch_cases, branch_case_desc);

/* Each condition with a negative, zero and positive register. */
static void cs_test_branch_condition(struct kunit *test)
{
	const struct branch_case *p = test->param_value;
	struct cs_ctx *c = test->priv;

	c->cs.state.regs[3] = p->value;
	code(c, csf_branch(p->cond, 3, 1));
	code(c, csf_move32(1, 1));
	code(c, csf_move32(2, 1));
	emit_call(c, CODE_VA, 24);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], !p->taken);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[2], 1);
}

/* The loop of the reference: store to, and step over, so many pages. */
static void cs_test_loop(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const int pages = 64;

	code(c, csf_move48(RA, DATA_VA));
	code(c, csf_move32(70, pages));
	code(c, csf_store_multiple(70, RA, 1, 0));
	code(c, csf_add_imm64(RA, RA, SZ_4K));
	code(c, csf_add_imm32(70, 70, -1));
	code(c, csf_branch(CSF_COND_GT, 70, -4));
	emit_call(c, CODE_VA, c->code_end - CODE_VA);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	for (int i = 0; i < pages; i++)
		KUNIT_EXPECT_EQ(test, *mem32(c, DATA_VA + i * SZ_4K), pages - i);
	KUNIT_EXPECT_EQ(test, c->cs.instructions, 3 + 2 + 4 * pages);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 1);
}

/* An endless loop never leaves the job and never costs more than the budget. */
static void cs_test_endless_loop(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	code(c, csf_branch(CSF_COND_ALWAYS, 0, -1));
	emit_call(c, CODE_VA, 8);
	for (int i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 100), CSF_CS_RUNNING);
	KUNIT_EXPECT_EQ(test, c->cs.instructions, 1000);
	KUNIT_EXPECT_EQ(test, csf_cs_pc(&c->cs), CODE_VA);
	KUNIT_EXPECT_EQ(test, c->cs.state.extract, 16);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 0);
}

/* A branch may go to the end of its range but not out of it. */
static void cs_test_branch_bounds(struct kunit *test)
{
	static const s16 bad[] = { -2, -3, 2, S16_MAX, S16_MIN };
	struct cs_ctx *c = test->priv;

	*mem64(c, CODE_VA) = csf_branch(CSF_COND_ALWAYS, 0, 1);
	*mem64(c, CODE_VA + 8) = csf_move32(1, 1);
	emit_call(c, CODE_VA, 16);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 0);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 1);

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		const u64 instr = csf_branch(CSF_COND_ALWAYS, 0, bad[i]);

		restart(c);
		*mem64(c, CODE_VA) = instr;
		emit_call(c, CODE_VA, 16);
		expect_fatal(c, CSF_EXC_CS_INSTR_INVALID, instr, CODE_VA);
	}

	restart(c);
	*mem64(c, CODE_VA) = csf_branch(7, 0, 0);
	emit_call(c, CODE_VA, 16);
	expect_fatal(c, CSF_EXC_CS_INSTR_INVALID, csf_branch(7, 0, 0), CODE_VA);
}

/* A CALL counts as consumed from the ring, and as a job, when it returns. */
static void cs_test_call(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	code(c, csf_move32(1, 1));
	code(c, csf_move32(2, 2));
	emit_call(c, CODE_VA, 16);
	emit(c, csf_move32(3, 3));
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 3), CSF_CS_RUNNING);
	KUNIT_EXPECT_EQ(test, csf_cs_pc(&c->cs), CODE_VA);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_RUNNING);
	KUNIT_EXPECT_EQ(test, c->cs.state.extract, 16);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 0);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_RUNNING);
	KUNIT_EXPECT_EQ(test, c->cs.state.extract, 24);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 1);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[2], 2);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[3], 3);

	/* Nothing to execute: over at once, a job all the same */
	emit_call(c, CODE_VA, 0);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 2);
}

/* A ring that is empty behind an active CALL is not out of work. */
static void cs_test_call_last(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	code(c, csf_move32(1, 1));
	emit_call(c, CODE_VA, 8);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 3), CSF_CS_RUNNING);
	KUNIT_EXPECT_FALSE(test, csf_cs_ring_empty(&c->cs));
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_EMPTY);
	KUNIT_EXPECT_TRUE(test, csf_cs_ring_empty(&c->cs));
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 1);

	/* The host may not take the CALL back */
	emit_call(c, CODE_VA, 8);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 3), CSF_CS_RUNNING);
	c->cs.insert -= 8;
	expect_fatal(c, CSF_EXC_CS_CONFIG_FAULT, c->cs.insert, CODE_VA);
}

/*
 * Code that calls itself @levels deep, counting in r1: each level is a MOVE,
 * MOVE, CALL, ADD; the innermost just an ADD. Returns where it begins.
 */
static u64 build_nest(struct cs_ctx *c, int levels)
{
	u64 va = code(c, csf_add_imm32(1, 1, 1));
	u32 len = 8;

	while (--levels > 0) {
		u64 inner = va;

		va = c->code_end;
		code_call(c, inner, len);
		code(c, csf_add_imm32(1, 1, 1));
		len = 32;
	}
	return va;
}

/* As many CALLs as the stack holds return in order; one more overflows. */
static void cs_test_call_depth(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const u32 max = CSF_CS_LEVELS - 1;

	emit_call(c, build_nest(c, max), 32);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], max);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 1);

	restart(c);
	c->code_end = CODE_VA;
	emit_call(c, build_nest(c, max + 1), 32);
	/* The instruction in the deepest allowed range, which follows the ADD */
	expect_fatal(c, CSF_EXC_CS_CALL_STACK_OVERFLOW, csf_call(CALL_ADDR, CALL_LEN),
		     CODE_VA + 8 + 16);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 0);
	KUNIT_EXPECT_EQ(test, c->cs.state.depth, max);
}

/* A CALL that ends its range needs no extra step to return twice. */
static void cs_test_tail_call(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	u64 outer;

	code(c, csf_move32(1, 1));
	outer = c->code_end;
	code_call(c, CODE_VA, 8);
	emit_call(c, outer, 24);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 7), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 1);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 1);
}

/* JUMP replaces the range: any number of them, and the rest is not executed. */
static void cs_test_jump(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const int jumps = 50;
	u64 next = CODE_VA;

	for (int i = 0; i < jumps; i++) {
		next += 5 * 8;
		code(c, csf_add_imm32(1, 1, 1));
		code(c, csf_move48(CALL_ADDR, next));
		code(c, csf_move32(CALL_LEN, i == jumps - 1 ? 8 : 5 * 8));
		code(c, csf_jump(CALL_ADDR, CALL_LEN));
		code(c, csf_move32(2, 1));
	}
	code(c, csf_move32(3, 1));
	code(c, csf_move32(4, 1));
	emit_call(c, CODE_VA, 5 * 8);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], jumps);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[2], 0);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[3], 1);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[4], 0);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 1);
}

/* A JUMP of length zero returns. */
static void cs_test_jump_nowhere(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	code(c, csf_move32(CALL_LEN, 0));
	code(c, csf_jump(CALL_ADDR, CALL_LEN));
	code(c, csf_move32(1, 1));
	emit_call(c, CODE_VA, 24);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 0);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 1);
}

/* Targets need 48-bit addresses, up to the last byte. */
static void cs_test_call_address(struct kunit *test)
{
	static const u64 bad[] = { BIT_ULL(48), BIT_ULL(48) - 8, ~7ULL };
	struct cs_ctx *c = test->priv;

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		restart(c);
		put_pair(c, CALL_ADDR, bad[i]);
		c->cs.state.regs[CALL_LEN] = 16;
		expect_invalid(c, csf_call(CALL_ADDR, CALL_LEN));
	}
}

/* Missing code stalls the fetch at its address; it can be mapped later. */
static void cs_test_fetch_fault(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const u64 va = CODE_VA + SZ_4K - 8;

	*mem64(c, va) = csf_move32(1, 1);
	*mem64(c, va + 8) = csf_move32(2, 2);
	emit_call(c, va, 16);
	c->bad_page = RING_VA;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, csf_cs_pc(&c->cs), RING_VA);
	c->bad_page = CODE_VA + SZ_4K;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, csf_cs_pc(&c->cs), va + 8);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 1);
	c->bad_page = NO_PAGE;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[2], 2);
}

/* Instructions are not fetched from beyond the range or the insert offset. */
static void cs_test_fetch_bounds(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const u64 va = CODE_VA + SZ_4K - 8;

	*mem64(c, va) = csf_move32(1, 1);
	c->bad_page = CODE_VA + SZ_4K;
	emit_call(c, va, 8);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);

	restart(c);
	c->read_end = 0;
	emit(c, csf_nop());
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->read_end, RING_VA + 8);
	code(c, csf_nop());
	emit_call(c, CODE_VA, 8);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->read_end, CODE_VA + 8);

	/* What follows in the ring was written after the first look at it */
	emit(c, csf_nop());
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	emit(c, csf_move32(2, 2));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[2], 2);
}

/* A store to the next instruction, and the CPU's between two steps, count. */
static void cs_test_self_modifying(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	put_pair(c, RR, csf_move32(1, 42));
	put_pair(c, RA, CODE_VA + 8);
	code(c, csf_store_multiple(RR, RA, 3, 0));
	code(c, csf_move32(1, 1));
	code(c, csf_move32(2, 1));
	emit_call(c, CODE_VA, 24);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 5), CSF_CS_RUNNING);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 42);
	*mem64(c, CODE_VA + 16) = csf_move32(2, 43);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[2], 43);
}

struct sync_case {
	const char *name;
	u8 op;
	bool is_64bit;
	bool add;
};

static const struct sync_case sync_cases[] = {
	{ "SYNC_ADD32", CSF_OP_SYNC_ADD32, false, true },
	{ "SYNC_SET32", CSF_OP_SYNC_SET32, false, false },
	{ "SYNC_ADD64", CSF_OP_SYNC_ADD64, true, true },
	{ "SYNC_SET64", CSF_OP_SYNC_SET64, true, false },
};

static void sync_case_desc(const struct sync_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sync, sync_cases, sync_case_desc);

static u64 sync_seqno(struct cs_ctx *c, bool is_64bit)
{
	return is_64bit ? *mem64(c, SYNC_VA) : *mem32(c, SYNC_VA);
}

/* Value, one store of the right size, status untouched, scope handed on. */
static void cs_test_sync_write(struct kunit *test)
{
	const struct sync_case *p = test->param_value;
	const u64 old = p->is_64bit ? 0xffffffff : 0xfffffff0;
	const u64 data = p->is_64bit ? 0x100000003ULL : 0x13;
	const size_t size = p->is_64bit ? 8 : 4;
	struct cs_ctx *c = test->priv;
	u64 expected = p->add ? old + data : data;

	if (!p->is_64bit)
		expected = (u32)expected;
	memset(mem64(c, SYNC_VA), 0x55, 24);
	memcpy(mem64(c, SYNC_VA), &old, size);
	put_pair(c, RA, SYNC_VA);
	put_pair(c, RD, data);
	emit(c, csf_sync_op(p->op, RA, RD, CSF_SYNC_SCOPE_SYSTEM, 1));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, sync_seqno(c, p->is_64bit), expected);
	KUNIT_EXPECT_EQ(test, *mem32(c, SYNC_VA + size), 0x55555555);
	KUNIT_EXPECT_EQ(test, c->writes, 1);
	KUNIT_EXPECT_EQ(test, c->last_write, SYNC_VA);
	KUNIT_EXPECT_EQ(test, c->last_len, size);
	KUNIT_EXPECT_EQ(test, c->system_syncs, 1);
	KUNIT_EXPECT_EQ(test, c->csg_syncs, 0);

	emit(c, csf_sync_op(p->op, RA, RD, CSF_SYNC_SCOPE_CSG, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->system_syncs, 1);
	KUNIT_EXPECT_EQ(test, c->csg_syncs, 1);
}

/* A faulting sync has no effect and happens once when repeated. */
static void cs_test_sync_fault(struct kunit *test)
{
	const struct sync_case *p = test->param_value;
	struct cs_ctx *c = test->priv;

	put_pair(c, RA, SYNC_VA);
	put_pair(c, RD, 3);
	c->bad_page = SYNC_VA;
	emit(c, csf_sync_op(p->op, RA, RD, CSF_SYNC_SCOPE_SYSTEM, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, c->system_syncs, 0);
	c->bad_page = NO_PAGE;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, sync_seqno(c, p->is_64bit), 3);
	KUNIT_EXPECT_EQ(test, c->system_syncs, 1);
}

struct wait_case {
	const char *name;
	u8 op;
	u8 cond;
	u64 ref;
	u64 blocked_by;
	u64 met_by;
};

static const struct wait_case wait_cases[] = {
	{ "32 bits less or equal", CSF_OP_SYNC_WAIT32, CSF_COND_LE, 5, 6, 5 },
	{ "32 bits greater", CSF_OP_SYNC_WAIT32, CSF_COND_GT, 5, 5, 6 },
	{ "32 bits unsigned", CSF_OP_SYNC_WAIT32, CSF_COND_LE, 1, 0x80000000, 0 },
	{ "64 bits less or equal", CSF_OP_SYNC_WAIT64, CSF_COND_LE,
	  0x500000000ULL, 0x500000001ULL, 0x500000000ULL },
	{ "64 bits greater", CSF_OP_SYNC_WAIT64, CSF_COND_GT,
	  0x500000000ULL, 0x500000000ULL, 0x500000001ULL },
	{ "64 bits unsigned", CSF_OP_SYNC_WAIT64, CSF_COND_GT, 1, 1, BIT_ULL(63) },
};

static void wait_case_desc(const struct wait_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(wait, wait_cases, wait_case_desc);

/* Blocked with details for the status block; goes on once the value is right. */
static void cs_test_sync_wait(struct kunit *test)
{
	const struct wait_case *p = test->param_value;
	const bool is_64bit = p->op == CSF_OP_SYNC_WAIT64;
	struct cs_ctx *c = test->priv;

	/* A status that nobody asked to look at */
	memset(mem64(c, SYNC_VA), 0xff, 16);
	memcpy(mem64(c, SYNC_VA), &p->blocked_by, is_64bit ? 8 : 4);
	put_pair(c, RA, SYNC_VA);
	put_pair(c, RD, p->ref);
	emit(c, csf_instr(p->op, 0, RA, RD, p->cond << 28));
	emit(c, csf_move32(1, 1));
	for (int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, run(c), CSF_CS_SYNC_WAIT);
		KUNIT_EXPECT_TRUE(test, c->cs.wait.blocked);
		KUNIT_EXPECT_EQ(test, c->cs.wait.is_64bit, is_64bit);
		KUNIT_EXPECT_EQ(test, c->cs.wait.cond, p->cond);
		KUNIT_EXPECT_EQ(test, c->cs.wait.sync_ptr, SYNC_VA);
		KUNIT_EXPECT_EQ(test, c->cs.wait.value, p->ref);
		KUNIT_EXPECT_EQ(test, c->cs.state.extract, 0);
	}
	memcpy(mem64(c, SYNC_VA), &p->met_by, is_64bit ? 8 : 4);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_FALSE(test, c->cs.wait.blocked);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 1);
}

/* An access fault in SYNC_WAIT stalls, also when reading the status. */
static void cs_test_sync_wait_fault(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const u64 va = SYNC_VA + SZ_4K - 8;

	put_pair(c, RA, va);
	emit(c, csf_sync_wait64(CSF_COND_LE, RA, RD, 1));
	c->bad_page = SYNC_VA;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	c->bad_page = SYNC_VA + SZ_4K;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_FALSE(test, c->cs.wait.blocked);
	c->bad_page = NO_PAGE;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
}

/* Rejected: one CS_FAULT, after which the stream is in the error state. */
static void fail_by_inheritance(struct cs_ctx *c, u8 op)
{
	struct kunit *test = c->test;
	const u64 status = op == CSF_OP_SYNC_WAIT64 ? SYNC_VA + 8 : SYNC_VA + 4;

	memset(mem64(c, SYNC_VA), 0, 16);
	*mem32(c, status) = 1;
	emit(c, csf_move48(RA, SYNC_VA));
	emit(c, csf_move48(RD, 0));
	emit(c, csf_instr(op, 0, RA, RD, CSF_COND_LE << 28 | 1));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_FAULT);
	KUNIT_EXPECT_EQ(test, c->cs.exception.type, CSF_EXC_CS_INHERIT_FAULT);
	KUNIT_EXPECT_EQ(test, c->cs.exception.info, SYNC_VA);
	KUNIT_EXPECT_EQ(test, c->cs.state.error, CSF_EXC_CS_INHERIT_FAULT);
	/* Completed, and not reported twice */
	KUNIT_EXPECT_TRUE(test, csf_cs_ring_empty(&c->cs));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	*mem32(c, status) = 0;
}

/* Both sizes reject on error; without an error or the flag they do not. */
static void cs_test_inherit(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	emit(c, csf_move48(RA, SYNC_VA));
	emit(c, csf_sync_wait64(CSF_COND_LE, RA, RD, 1));
	emit(c, csf_sync_wait32(CSF_COND_LE, RA, RD, 1));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	fail_by_inheritance(c, CSF_OP_SYNC_WAIT64);
	restart(c);
	fail_by_inheritance(c, CSF_OP_SYNC_WAIT32);
}

/* An unmet condition blocks whatever the status says. */
static void cs_test_inherit_unmet(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	*mem32(c, SYNC_VA + 8) = 1;
	put_pair(c, RA, SYNC_VA);
	emit(c, csf_sync_wait64(CSF_COND_GT, RA, RD, 1));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_SYNC_WAIT);
	*mem64(c, SYNC_VA) = 1;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_FAULT);
}

/* In the error state no work is done until ERROR_BARRIER. */
static void cs_test_error_skip(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	u64 runs;

	fail_by_inheritance(c, CSF_OP_SYNC_WAIT64);
	runs = c->cs.runs;
	emit(c, csf_move48(RA, DATA_VA));
	emit(c, csf_move48(RD, SZ_4K));
	emit(c, csf_load_multiple(0, RA, 0xff, 0));
	emit(c, csf_store_multiple(RA, RA, 1, 0));
	emit(c, csf_range_fill(RR, RA, RD));
	emit(c, csf_range_sum(RR, RA, RD));
	emit(c, csf_instr(CSF_OP_RUN_COMPUTE, 0, 0, 0, 0));
	emit(c, csf_instr(CSF_OP_RUN_TILING, 0, 0, 0, 0));
	emit(c, csf_sync_wait64(CSF_COND_GT, RA, RD, 0));
	emit(c, csf_branch(CSF_COND_ALWAYS, 0, -1));
	memset(mem64(c, DATA_VA), 0xaa, SZ_4K);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->writes, 0);
	KUNIT_EXPECT_EQ(test, c->oom_calls, 0);
	KUNIT_EXPECT_EQ(test, c->cs.runs, runs);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[0], 0);
	KUNIT_EXPECT_EQ(test, get_pair(c, RR), 0);

	emit(c, csf_error_barrier());
	emit(c, csf_store_multiple(RA, RA, 1, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, *mem32(c, DATA_VA), (u32)DATA_VA);
	KUNIT_EXPECT_EQ(test, c->cs.state.error, 0);
}

/* Nonsense is still fatal in the error state. */
static void cs_test_error_invalid(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	fail_by_inheritance(c, CSF_OP_SYNC_WAIT64);
	expect_invalid(c, csf_load_multiple(0, 65, 1, 0));
}

/* In the error state syncs are written, with the status if they propagate. */
static void cs_test_error_propagate(struct kunit *test)
{
	const struct sync_case *p = test->param_value;
	const u64 status = SYNC_VA + (p->is_64bit ? 8 : 4);
	struct cs_ctx *c = test->priv;

	fail_by_inheritance(c, CSF_OP_SYNC_WAIT64);
	put_pair(c, RD, 1);
	emit(c, csf_sync_op(p->op, RA, RD, CSF_SYNC_SCOPE_SYSTEM, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, sync_seqno(c, p->is_64bit), 1);
	KUNIT_EXPECT_EQ(test, *mem32(c, status), 0);

	emit(c, csf_sync_op(p->op, RA, RD, CSF_SYNC_SCOPE_SYSTEM, 1));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, sync_seqno(c, p->is_64bit), p->add ? 2 : 1);
	KUNIT_EXPECT_EQ(test, *mem32(c, status), 1);
	KUNIT_EXPECT_EQ(test, c->last_write, SYNC_VA);
	KUNIT_EXPECT_EQ(test, c->system_syncs, 2);
}

/* Each kind of state, at a signed offset. */
static void cs_test_store_state(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	memset(mem64(c, DATA_VA), 0x77, 64);
	put_pair(c, RA, DATA_VA + 16);
	emit(c, csf_store_state(RA, CSF_STATE_TIMESTAMP, -16));
	emit(c, csf_store_state(RA, CSF_STATE_CYCLE_COUNT, -8));
	emit(c, csf_store_state(RA, CSF_STATE_DISJOINT_COUNT, 0));
	emit(c, csf_store_state(RA, CSF_STATE_ERROR_STATUS, 8));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, *mem64(c, DATA_VA), TEST_TIMESTAMP);
	KUNIT_EXPECT_EQ(test, *mem64(c, DATA_VA + 8), TEST_CYCLES);
	KUNIT_EXPECT_EQ(test, *mem64(c, DATA_VA + 16), 0);
	KUNIT_EXPECT_EQ(test, *mem64(c, DATA_VA + 24), 0);

	fail_by_inheritance(c, CSF_OP_SYNC_WAIT64);
	put_pair(c, RA, DATA_VA);
	emit(c, csf_store_state(RA, CSF_STATE_ERROR_STATUS, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, *mem64(c, DATA_VA), CSF_EXC_CS_INHERIT_FAULT);
}

/* WAIT counts when told to, PROGRESS_STORE sets and PROGRESS_LOAD gets. */
static void cs_test_progress(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	put_pair(c, RD, 0xfffffffffULL);
	emit(c, csf_progress_store(RD));
	emit(c, csf_wait(0xff));
	emit(c, csf_wait_progress(0xff));
	emit(c, csf_progress_wait(RA, 1));
	emit(c, csf_progress_load(RR));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, get_pair(c, RR), 0x1000000000ULL);
}

/* A compute job looks at its resources, those it selects, and stalls if they're gone. */
static void cs_test_run_compute(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	put_pair(c, 16, DATA_VA);
	put_pair(c, 26, 0x7fff00000000ULL);
	emit(c, csf_instr(CSF_OP_RUN_COMPUTE, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.runs, 1);

	/* thread storage: the second pair */
	emit(c, csf_instr(CSF_OP_RUN_COMPUTE, 0, 0x10, 0, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, c->cs.runs, 1);

	put_pair(c, 26, DATA_VA);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.runs, 2);
}

/* What there is to remember of instructions without shader cores behind them. */
static void cs_test_fixed_function(struct kunit *test)
{
	static const u8 runs[] = {
		CSF_OP_RUN_COMPUTE, CSF_OP_RUN_TILING, CSF_OP_RUN_IDVS,
		CSF_OP_RUN_FRAGMENT, CSF_OP_RUN_FULLSCREEN, CSF_OP_FINISH_TILING,
		CSF_OP_FINISH_FRAGMENT, CSF_OP_RUN_COMPUTE_INDIRECT,
	};
	struct cs_ctx *c = test->priv;

	put_pair(c, RA, DATA_VA);
	c->cs.state.regs[RD] = 128;
	for (int i = 0; i < ARRAY_SIZE(runs); i++)
		emit(c, csf_instr(runs[i], 0xff, 0xff, 0xff, U32_MAX));
	emit(c, csf_set_sb_entry(2, 3));
	emit(c, csf_instr(CSF_OP_TRACE_POINT, 0, 0, 0, 0));
	emit(c, csf_req_resource(CSF_RES_COMPUTE | CSF_RES_TILER));
	emit(c, csf_set_exception_handler(CSF_EXCEPTION_TILER_OOM, RA, RD));
	emit(c, csf_flush_cache2(3, 3, 2, RD, 0));
	emit(c, csf_heap_set(RA));
	for (int i = 0; i < 6; i++)
		emit(c, csf_heap_operation(i < 3 ? CSF_HEAP_VT_START :
					   i < 5 ? CSF_HEAP_VT_END : CSF_HEAP_FRAG_END));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.runs, ARRAY_SIZE(runs));
	KUNIT_EXPECT_EQ(test, c->oom_calls, 2);
	KUNIT_EXPECT_EQ(test, c->flushes, 1);
	KUNIT_EXPECT_EQ(test, c->writes, 0);
	KUNIT_EXPECT_EQ(test, c->cs.state.resources, CSF_RES_COMPUTE | CSF_RES_TILER);
	KUNIT_EXPECT_EQ(test, c->cs.state.handler_va, DATA_VA);
	KUNIT_EXPECT_EQ(test, c->cs.state.handler_len, 128);
	KUNIT_EXPECT_EQ(test, c->cs.state.heap_address, DATA_VA);
	KUNIT_EXPECT_EQ(test, c->cs.state.heap_vt_start, 3);
	KUNIT_EXPECT_EQ(test, c->cs.state.heap_vt_end, 2);
	KUNIT_EXPECT_EQ(test, c->cs.state.heap_frag_end, 1);
}

/* What tiles stalls while the hook says so; -ENOMEM is a fault. */
static void test_oom_of(struct kunit *test, u64 instr)
{
	struct cs_ctx *c = test->priv;
	u64 pc = RING_VA + (c->cs.insert & (RING_SIZE - 1));

	c->oom_calls = 0;
	c->oom_result = -EAGAIN;
	emit(c, instr);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, c->oom_calls, 2);
	KUNIT_EXPECT_EQ(test, csf_cs_pc(&c->cs), pc);
	c->oom_result = 0;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);

	c->oom_result = -ENOMEM;
	emit(c, instr);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_FAULT);
	KUNIT_EXPECT_EQ(test, c->cs.exception.type, CSF_EXC_OOM);
	KUNIT_EXPECT_EQ(test, c->cs.exception.info, instr);
	emit(c, csf_error_barrier());
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
}

static void cs_test_tiler_oom(struct kunit *test)
{
	test_oom_of(test, csf_instr(CSF_OP_RUN_TILING, 0, 0, 0, 0));
	test_oom_of(test, csf_instr(CSF_OP_RUN_IDVS, 0, 0, 0, 0));
}

/* Without the optional ops everything works, time stands still. */
static void cs_test_optional_ops(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	c->cs.ops = &minimal_ops;
	put_pair(c, RA, DATA_VA);
	*mem64(c, DATA_VA) = 1;
	*mem64(c, DATA_VA + 8) = 1;
	emit(c, csf_store_state(RA, CSF_STATE_TIMESTAMP, 0));
	emit(c, csf_store_state(RA, CSF_STATE_CYCLE_COUNT, 8));
	emit(c, csf_instr(CSF_OP_RUN_TILING, 0, 0, 0, 0));
	emit(c, csf_flush_cache2(3, 3, 2, RD, 0));
	emit(c, csf_sync_add64(RA, RD));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, *mem64(c, DATA_VA), 0);
	KUNIT_EXPECT_EQ(test, *mem64(c, DATA_VA + 8), 0);
}

/* The job of the kernel driver, word by word; @timed is how newer ones do it */
static void emit_driver_job(struct cs_ctx *c, u64 va, u32 len, bool timed)
{
	emit(c, 0x025e0000ffffffffULL);
	emit(c, 0x24005e0000000233ULL);
	if (timed) {
		emit(c, csf_move48(92, DATA_VA));
		emit(c, 0x28005c0100000000ULL);
	}
	emit(c, 0x015c000000000000ULL | va);
	emit(c, 0x025e000000000000ULL | len);
	emit(c, 0x0300000000010000ULL);
	emit(c, 0x20005c5e00000000ULL);
	if (timed) {
		emit(c, csf_move48(92, DATA_VA));
		emit(c, 0x28005c0100000008ULL);
		emit(c, 0x28005c0000000010ULL);
	}
	emit(c, 0x015c000000000000ULL | SYNC_VA);
	emit(c, 0x015e000000000001ULL);
	emit(c, 0x0300000000ff0000ULL);
	emit(c, 0x33005c5e00000001ULL);
	emit(c, 0x2f00000000000000ULL);
	while (c->cs.insert % 64)
		emit(c, 0);
}

/* Jobs around the ring: each runs once and signals its sync object. */
static void cs_test_driver_jobs(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const int jobs = 100;

	code(c, csf_add_imm32(1, 1, 1));
	code(c, csf_add_imm32(2, 1, 1));
	for (int i = 0; i < jobs; i++) {
		emit_driver_job(c, CODE_VA, 16, i & 1);
		KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
		KUNIT_EXPECT_EQ(test, *mem64(c, SYNC_VA), i + 1);
	}
	KUNIT_EXPECT_EQ(test, c->cs.jobs, jobs);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[2], jobs + 1);
	KUNIT_EXPECT_EQ(test, c->flushes, jobs);
	KUNIT_EXPECT_EQ(test, c->system_syncs, jobs);
	KUNIT_EXPECT_EQ(test, *mem32(c, SYNC_VA + 8), 0);
	KUNIT_EXPECT_EQ(test, *mem64(c, DATA_VA + 8), TEST_CYCLES);
	KUNIT_EXPECT_EQ(test, *mem64(c, DATA_VA + 16), TEST_TIMESTAMP);
}

/* A job that inherits a fault is signalled with an error; the next one runs. */
static void cs_test_driver_job_fault(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	const u64 user_sync = SYNC_VA + 16;

	*mem32(c, user_sync + 8) = 1;
	code(c, csf_move48(RA, user_sync));
	code(c, csf_sync_wait64(CSF_COND_LE, RA, RD, 1));
	code(c, csf_store_multiple(0, RA, 1, 0));
	emit_driver_job(c, CODE_VA, 24, false);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_FAULT);
	/* The driver finds the job to blame by this */
	KUNIT_EXPECT_LT(test, c->cs.state.extract, 128);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, *mem64(c, SYNC_VA), 1);
	KUNIT_EXPECT_EQ(test, *mem32(c, SYNC_VA + 8), 1);
	KUNIT_EXPECT_EQ(test, c->cs.jobs, 1);

	*mem32(c, SYNC_VA + 8) = 0;
	*mem32(c, user_sync + 8) = 0;
	emit_driver_job(c, CODE_VA, 24, false);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, *mem64(c, SYNC_VA), 2);
	KUNIT_EXPECT_EQ(test, *mem32(c, SYNC_VA + 8), 0);
}

/* Ranges: reference results, computed the slow way */

static u64 sum_of(struct cs_ctx *c, u64 va, u64 len)
{
	u64 acc = 0;

	for (u64 i = 0; i < len; i += 8)
		acc = acc * 6364136223846793005ULL + *mem64(c, va + i);
	return acc;
}

static u64 mismatches_of(struct cs_ctx *c, u64 seed, u64 va, u64 len)
{
	u64 count = 0;

	for (u64 i = 0; i < len / 8; i++)
		count += *mem64(c, va + 8 * i) != csf_pattern(seed, i);
	return count;
}

struct range_case {
	u32 offset;
	u32 len;
};

static const struct range_case range_cases[] = {
	{ 0, 0 }, { 0, 8 }, { 0, SZ_4K }, { SZ_4K - 8, 16 }, { 8, SZ_4K },
	{ 0, SZ_64K }, { 16, SZ_64K }, { 24, SZ_64K + 8 }, { 4088, 130 * 1024 },
};

static void range_case_desc(const struct range_case *p, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bytes at +%u", p->len, p->offset);
}

KUNIT_ARRAY_PARAM(range, range_cases, range_case_desc);

#define TEST_SEED	0xfeedfacecafebeefULL

/* FILL writes the pattern and nothing around it. */
static void cs_test_range_fill(struct kunit *test)
{
	const struct range_case *p = test->param_value;
	const u64 va = DATA_VA + SZ_4K + p->offset;
	struct cs_ctx *c = test->priv;

	memset(mem64(c, va - 8), 0x11, p->len + 16);
	put_pair(c, RA, va);
	put_pair(c, RD, p->len);
	put_pair(c, RR, TEST_SEED);
	emit(c, csf_range_fill(RR, RA, RD));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, mismatches_of(c, TEST_SEED, va, p->len), 0);
	KUNIT_EXPECT_EQ(test, *mem64(c, va - 8), 0x1111111111111111ULL);
	KUNIT_EXPECT_EQ(test, *mem64(c, va + p->len), 0x1111111111111111ULL);
	KUNIT_EXPECT_EQ(test, get_pair(c, RA), va);
	KUNIT_EXPECT_EQ(test, get_pair(c, RD), p->len);
	KUNIT_EXPECT_EQ(test, get_pair(c, RR), TEST_SEED);
	KUNIT_EXPECT_EQ(test, c->cs.instructions, 1);
}

static void fill(struct cs_ctx *c, u64 va, u64 len)
{
	for (u64 i = 0; i < len / 8; i++)
		*mem64(c, va + 8 * i) = csf_pattern(TEST_SEED, i);
}

/* SUM depends on every word and its place, also into its own operand. */
static void cs_test_range_sum(struct kunit *test)
{
	const struct range_case *p = test->param_value;
	const u64 va = DATA_VA + SZ_4K + p->offset;
	struct cs_ctx *c = test->priv;
	const unsigned int into[] = { RR, RA, RD };

	fill(c, va, p->len);
	for (int i = 0; i < ARRAY_SIZE(into); i++) {
		put_pair(c, RR, ~0ULL);
		put_pair(c, RA, va);
		put_pair(c, RD, p->len);
		emit(c, csf_range_sum(into[i], RA, RD));
		KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
		KUNIT_EXPECT_EQ(test, get_pair(c, into[i]), sum_of(c, va, p->len));
	}
	KUNIT_EXPECT_EQ(test, c->writes, 0);
}

/* COPY between places that are misaligned to each other. */
static void cs_test_range_copy(struct kunit *test)
{
	const struct range_case *p = test->param_value;
	const u64 from = DATA_VA + p->offset;
	const u64 to = DATA_VA + SZ_128K + SZ_32K + 40;
	struct cs_ctx *c = test->priv;

	fill(c, from, p->len);
	*mem64(c, to + p->len) = 0x2222;
	put_pair(c, RA, from);
	put_pair(c, RD, p->len);
	put_pair(c, RR, to);
	emit(c, csf_range_copy(RR, RA, RD));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, mismatches_of(c, TEST_SEED, to, p->len), 0);
	KUNIT_EXPECT_EQ(test, mismatches_of(c, TEST_SEED, from, p->len), 0);
	KUNIT_EXPECT_EQ(test, *mem64(c, to + p->len), 0x2222);
}

/* VERIFY counts the words that differ. */
static void cs_test_range_verify(struct kunit *test)
{
	const struct range_case *p = test->param_value;
	const u64 va = DATA_VA + SZ_4K + p->offset;
	struct cs_ctx *c = test->priv;
	u64 bad = 0;

	fill(c, va, p->len);
	put_pair(c, RA, va);
	put_pair(c, RD, p->len);
	put_pair(c, RR, TEST_SEED);
	emit(c, csf_range_verify(RR, RA, RD));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, get_pair(c, RR), 0);

	/* One bit each, first and last word among them */
	for (u64 i = 0; i < p->len; i += 1000, bad++)
		*mem64(c, va + p->len - 8 - i) ^= BIT_ULL(i % 64);
	put_pair(c, RR, TEST_SEED);
	emit(c, csf_range_verify(RR, RA, RD));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, get_pair(c, RR), bad);
}

/* Each 64 KiB costs one of the budget; one instruction in the end. */
static void cs_test_range_budget(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	put_pair(c, RA, DATA_VA);
	put_pair(c, RD, 2 * SZ_64K + 8);
	emit(c, csf_range_fill(RR, RA, RD));
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_RUNNING);
	KUNIT_EXPECT_EQ(test, c->cs.state.progress.done, SZ_64K);
	KUNIT_EXPECT_EQ(test, csf_cs_pc(&c->cs), RING_VA);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_RUNNING);
	KUNIT_EXPECT_EQ(test, c->cs.instructions, 0);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.instructions, 1);
	KUNIT_EXPECT_EQ(test, c->cs.state.progress.instr, 0);
}

struct range_op_case {
	const char *name;
	u8 op;
};

static const struct range_op_case range_op_cases[] = {
	{ "RANGE_FILL", CSF_OP_RANGE_FILL },
	{ "RANGE_SUM", CSF_OP_RANGE_SUM },
	{ "RANGE_COPY", CSF_OP_RANGE_COPY },
	{ "RANGE_VERIFY", CSF_OP_RANGE_VERIFY },
};

static void range_op_desc(const struct range_op_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(range_op, range_op_cases, range_op_desc);

#define BIG_LEN		(SZ_128K + SZ_16K)
#define BIG_TO		(DATA_VA + SZ_128K + SZ_64K)

/* A range of BIG_LEN at DATA_VA, for SUM, COPY and VERIFY with two errors */
static void prepare_big(struct cs_ctx *c, u8 op)
{
	if (op != CSF_OP_RANGE_FILL) {
		fill(c, DATA_VA, BIG_LEN);
		*mem64(c, DATA_VA + 8) ^= 1;
		*mem64(c, DATA_VA + BIG_LEN - 8) ^= 1;
	}
	put_pair(c, RA, DATA_VA);
	put_pair(c, RD, BIG_LEN);
	put_pair(c, RR, op == CSF_OP_RANGE_COPY ? BIG_TO : TEST_SEED);
	emit(c, csf_instr(op, RR, RA, RD, 0));
}

static void expect_big(struct cs_ctx *c, u8 op)
{
	struct kunit *test = c->test;

	switch (op) {
	case CSF_OP_RANGE_FILL:
		KUNIT_EXPECT_EQ(test, mismatches_of(c, TEST_SEED, DATA_VA, BIG_LEN), 0);
		break;
	case CSF_OP_RANGE_SUM:
		KUNIT_EXPECT_EQ(test, get_pair(c, RR), sum_of(c, DATA_VA, BIG_LEN));
		break;
	case CSF_OP_RANGE_COPY:
		KUNIT_EXPECT_MEMEQ(test, mem64(c, BIG_TO), mem64(c, DATA_VA), BIG_LEN);
		break;
	default:
		KUNIT_EXPECT_EQ(test, get_pair(c, RR), 2);
	}
}

/* A fault in the middle: goes on at the faulting page, not from the start. */
static void cs_test_range_fault(struct kunit *test)
{
	const struct range_op_case *p = test->param_value;
	struct cs_ctx *c = test->priv;
	unsigned int accesses;

	prepare_big(c, p->op);
	c->bad_page = DATA_VA + SZ_64K + SZ_8K;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, c->cs.state.progress.done, SZ_64K + SZ_8K);
	KUNIT_EXPECT_EQ(test, c->cs.state.extract, 0);

	c->bad_page = NO_PAGE;
	accesses = p->op == CSF_OP_RANGE_FILL ? c->writes : c->reads;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	accesses = (p->op == CSF_OP_RANGE_FILL ? c->writes : c->reads) - accesses;
	/* FILL and COPY fetch the instruction anew, FILL's fetch is no write */
	KUNIT_EXPECT_LE(test, accesses, (BIG_LEN - SZ_64K - SZ_8K) / SZ_4K + 3);
	expect_big(c, p->op);
}

/* A fault on the destination of a copy. */
static void cs_test_range_copy_fault(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	prepare_big(c, CSF_OP_RANGE_COPY);
	c->bad_page = BIG_TO + SZ_4K;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	KUNIT_EXPECT_EQ(test, c->cs.state.progress.done, SZ_4K);
	c->bad_page = NO_PAGE;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	expect_big(c, CSF_OP_RANGE_COPY);
}

/*
 * Take the stream elsewhere through a plain copy of its state, as a suspend
 * buffer is. Nothing of the old one may be needed.
 */
static struct cs_ctx *migrate(struct kunit *test, struct cs_ctx *from)
{
	struct cs_ctx *to = new_ctx(test);
	struct csf_cs_state buffer = from->cs.state;

	to->mem = from->mem;
	to->bad_page = from->bad_page;
	memset(&to->cs.state, 0x5a, sizeof(to->cs.state));
	KUNIT_EXPECT_EQ(test, csf_cs_restore(&to->cs, &buffer), 0);
	to->cs.insert = from->cs.insert;
	KUNIT_EXPECT_EQ(test, csf_cs_pc(&to->cs), csf_cs_pc(&from->cs));
	memset(&from->cs, 0xa5, sizeof(from->cs));
	kunit_kfree(test, from);
	return to;
}

/* Suspended between any two chunks, a range operation goes on elsewhere. */
static void cs_test_range_suspend(struct kunit *test)
{
	const struct range_op_case *p = test->param_value;
	struct cs_ctx *c = test->priv;

	prepare_big(c, p->op);
	for (int i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_RUNNING);
		KUNIT_EXPECT_EQ(test, c->cs.state.progress.done, (i + 1) * SZ_64K);
		c = migrate(test, c);
	}
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_EMPTY);
	expect_big(c, p->op);
}

/* Suspended while stalled in the middle of a chunk as well. */
static void cs_test_range_suspend_stalled(struct kunit *test)
{
	const struct range_op_case *p = test->param_value;
	struct cs_ctx *c = test->priv;

	prepare_big(c, p->op);
	c->bad_page = DATA_VA + SZ_64K + SZ_4K;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	c = migrate(test, c);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_STALLED);
	c->bad_page = NO_PAGE;
	c = migrate(test, c);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	expect_big(c, p->op);
}

/* A range operation replaced while in progress does not leave its place to
 * the next one.
 */
static void cs_test_range_replaced(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	prepare_big(c, CSF_OP_RANGE_FILL);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 1), CSF_CS_RUNNING);
	*mem64(c, RING_VA) = csf_nop();
	emit(c, csf_range_fill(RR, RA, RD));
	memset(mem64(c, DATA_VA), 0, BIG_LEN);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	expect_big(c, CSF_OP_RANGE_FILL);
}

/*
 * A bit of everything: a loop in nested calls, syncs, a heap, a fault and a
 * range. Ends with its results in r1..r9.
 */
static void build_medley(struct cs_ctx *c)
{
	u64 loop = c->code_end, outer;

	code(c, csf_move32(70, 3));
	code(c, csf_sync_add64(RA, RD));
	code(c, csf_add_imm32(1, 1, 5));
	code(c, csf_add_imm32(70, 70, -1));
	code(c, csf_branch(CSF_COND_NE, 70, -4));
	outer = c->code_end;
	code_call(c, loop, outer - loop);
	code(c, csf_range_fill(72, 74, 76));
	code_call(c, loop, outer - loop);
	code(c, csf_range_sum(8, 74, 76));
	code(c, csf_sync_wait64(CSF_COND_GT, RA, 78, 1));
	code(c, csf_load_multiple(2, RA, 7, 0));

	emit(c, csf_move48(RA, SYNC_VA));
	emit(c, csf_move48(RD, 1));
	emit(c, csf_move48(72, 77));
	emit(c, csf_move48(74, DATA_VA + 24));
	emit(c, csf_move48(76, SZ_128K));
	emit(c, csf_move48(78, 5));
	emit(c, csf_heap_operation(CSF_HEAP_VT_START));
	emit(c, csf_wait_progress(1));
	emit_call(c, outer, c->code_end - outer);
	emit(c, csf_progress_load(6));
	emit(c, csf_sync_op(CSF_OP_SYNC_ADD64, RA, RD, CSF_SYNC_SCOPE_SYSTEM, 1));
	emit(c, csf_error_barrier());
	emit(c, csf_load_multiple(4, RA, 7, 0));
}

/*
 * Executed one instruction at a time and moved after each, it ends in the
 * very state of an undisturbed run.
 */
static void cs_test_suspend_anywhere(struct kunit *test)
{
	struct cs_ctx *c = test->priv;
	enum csf_cs_result result = CSF_CS_RUNNING;
	struct csf_cs_state straight;
	int steps = 0;

	/* Inherited by the wait at the end of the call */
	*mem32(c, SYNC_VA + 8) = 1;
	build_medley(c);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_FAULT);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_EMPTY);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[1], 30);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[2], 0);
	KUNIT_EXPECT_EQ(test, c->cs.state.regs[4], 7);
	KUNIT_EXPECT_EQ(test, get_pair(c, 8), sum_of(c, DATA_VA + 24, SZ_128K));
	straight = c->cs.state;

	restart(c);
	memset(c->mem, 0, MEM_SIZE);
	c->code_end = CODE_VA;
	*mem32(c, SYNC_VA + 8) = 1;
	build_medley(c);
	while (result != CSF_CS_EMPTY && steps++ < 1000) {
		result = csf_cs_step(&c->cs, 1);
		c = migrate(test, c);
	}
	KUNIT_EXPECT_EQ(test, result, CSF_CS_EMPTY);
	KUNIT_EXPECT_MEMEQ(test, &straight, &c->cs.state, sizeof(straight));
}

/* A blocked stream moved elsewhere blocks again, and a dead one stays dead. */
static void cs_test_suspend_blocked(struct kunit *test)
{
	struct cs_ctx *c = test->priv;

	put_pair(c, RA, SYNC_VA);
	emit(c, csf_sync_wait64(CSF_COND_GT, RA, RD, 0));
	emit(c, csf_instr(0xff, 0, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_SYNC_WAIT);
	c = migrate(test, c);
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_SYNC_WAIT);
	KUNIT_EXPECT_TRUE(test, c->cs.wait.blocked);
	*mem64(c, SYNC_VA) = 1;
	KUNIT_EXPECT_EQ(test, run(c), CSF_CS_FATAL);
	c = migrate(test, c);
	expect_fatal(c, CSF_EXC_CS_INSTR_INVALID, csf_instr(0xff, 0, 0, 0, 0), RING_VA + 8);
}

struct restore_case {
	const char *name;
	void (*damage)(struct csf_cs_state *state);
};

static void damage_depth(struct csf_cs_state *state)
{
	state->depth = CSF_CS_LEVELS;
}

static void damage_pc(struct csf_cs_state *state)
{
	state->call[0].pc = state->call[0].end + 8;
}

static void damage_pc_end(struct csf_cs_state *state)
{
	state->call[0].pc = state->call[0].end;
}

static void damage_alignment(struct csf_cs_state *state)
{
	state->call[0].pc += 4;
}

static void damage_end(struct csf_cs_state *state)
{
	state->call[0].end = BIT_ULL(48) + 8;
}

static void damage_ring(struct csf_cs_state *state)
{
	state->ring_size = 3;
}

static void damage_all(struct csf_cs_state *state)
{
	memset(state, 0xff, sizeof(*state));
}

static const struct restore_case restore_cases[] = {
	{ "call depth", damage_depth },
	{ "program counter", damage_pc },
	{ "program counter at the end", damage_pc_end },
	{ "alignment", damage_alignment },
	{ "end of range", damage_end },
	{ "ring size", damage_ring },
	{ "everything", damage_all },
};

static void restore_case_desc(const struct restore_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(restore, restore_cases, restore_case_desc);

/* A state that no stream can have is refused and never executed. */
static void cs_test_restore_damaged(struct kunit *test)
{
	const struct restore_case *p = test->param_value;
	struct cs_ctx *c = test->priv;
	struct csf_cs_state state;

	code(c, csf_move32(1, 1));
	code(c, csf_move32(1, 2));
	emit_call(c, CODE_VA, 16);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 3), CSF_CS_RUNNING);
	state = c->cs.state;
	KUNIT_EXPECT_EQ(test, csf_cs_restore(&c->cs, &state), 0);
	p->damage(&state);
	KUNIT_EXPECT_EQ(test, csf_cs_restore(&c->cs, &state), -EINVAL);
	KUNIT_EXPECT_EQ(test, csf_cs_step(&c->cs, 10), CSF_CS_FATAL);
	KUNIT_EXPECT_EQ(test, c->cs.exception.type, CSF_EXC_CS_CONFIG_FAULT);
	csf_cs_pc(&c->cs);
}

static struct kunit_case cs_test_cases[] = {
	KUNIT_CASE(cs_test_pattern),
	KUNIT_CASE(cs_test_encoding),
	KUNIT_CASE(cs_test_start),
	KUNIT_CASE_PARAM(cs_test_ring_config, ring_gen_params),
	KUNIT_CASE(cs_test_bad_insert),
	KUNIT_CASE(cs_test_ring_wrap),
	KUNIT_CASE(cs_test_ring_unaligned),
	KUNIT_CASE(cs_test_budget),
	KUNIT_CASE(cs_test_move),
	KUNIT_CASE(cs_test_arithmetic),
	KUNIT_CASE(cs_test_load_store),
	KUNIT_CASE(cs_test_load_restart),
	KUNIT_CASE(cs_test_store_restart),
	KUNIT_CASE(cs_test_illegal_opcodes),
	KUNIT_CASE_PARAM(cs_test_invalid_operand, invalid_gen_params),
	KUNIT_CASE(cs_test_last_registers),
	KUNIT_CASE(cs_test_fatal_sticks),
	KUNIT_CASE(cs_test_kill),
	KUNIT_CASE_PARAM(cs_test_branch_condition, branch_gen_params),
	KUNIT_CASE(cs_test_loop),
	KUNIT_CASE(cs_test_endless_loop),
	KUNIT_CASE(cs_test_branch_bounds),
	KUNIT_CASE(cs_test_call),
	KUNIT_CASE(cs_test_call_last),
	KUNIT_CASE(cs_test_call_depth),
	KUNIT_CASE(cs_test_tail_call),
	KUNIT_CASE(cs_test_jump),
	KUNIT_CASE(cs_test_jump_nowhere),
	KUNIT_CASE(cs_test_call_address),
	KUNIT_CASE(cs_test_fetch_fault),
	KUNIT_CASE(cs_test_fetch_bounds),
	KUNIT_CASE(cs_test_self_modifying),
	KUNIT_CASE_PARAM(cs_test_sync_write, sync_gen_params),
	KUNIT_CASE_PARAM(cs_test_sync_fault, sync_gen_params),
	KUNIT_CASE_PARAM(cs_test_sync_wait, wait_gen_params),
	KUNIT_CASE(cs_test_sync_wait_fault),
	KUNIT_CASE(cs_test_inherit),
	KUNIT_CASE(cs_test_inherit_unmet),
	KUNIT_CASE(cs_test_error_skip),
	KUNIT_CASE(cs_test_error_invalid),
	KUNIT_CASE_PARAM(cs_test_error_propagate, sync_gen_params),
	KUNIT_CASE(cs_test_store_state),
	KUNIT_CASE(cs_test_progress),
	KUNIT_CASE(cs_test_run_compute),
	KUNIT_CASE(cs_test_fixed_function),
	KUNIT_CASE(cs_test_tiler_oom),
	KUNIT_CASE(cs_test_optional_ops),
	KUNIT_CASE(cs_test_driver_jobs),
	KUNIT_CASE(cs_test_driver_job_fault),
	KUNIT_CASE_PARAM(cs_test_range_fill, range_gen_params),
	KUNIT_CASE_PARAM(cs_test_range_sum, range_gen_params),
	KUNIT_CASE_PARAM(cs_test_range_copy, range_gen_params),
	KUNIT_CASE_PARAM(cs_test_range_verify, range_gen_params),
	KUNIT_CASE(cs_test_range_budget),
	KUNIT_CASE_PARAM(cs_test_range_fault, range_op_gen_params),
	KUNIT_CASE(cs_test_range_copy_fault),
	KUNIT_CASE_PARAM(cs_test_range_suspend, range_op_gen_params),
	KUNIT_CASE_PARAM(cs_test_range_suspend_stalled, range_op_gen_params),
	KUNIT_CASE(cs_test_range_replaced),
	KUNIT_CASE(cs_test_suspend_anywhere),
	KUNIT_CASE(cs_test_suspend_blocked),
	KUNIT_CASE_PARAM(cs_test_restore_damaged, restore_gen_params),
	{}
};

static struct kunit_suite cs_test_suite = {
	.name = "mali-csf-cs",
	.init = cs_test_init,
	.test_cases = cs_test_cases,
};

kunit_test_suite(cs_test_suite);

MODULE_DESCRIPTION("Tests of the software Mali CSF GPU");
MODULE_LICENSE("GPL");
