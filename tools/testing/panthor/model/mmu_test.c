// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the register file and the address spaces of the software Mali CSF
 * GPU, on page tables made by hand: no driver, no firmware.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include "compat.h"
#include "kunit_util.h"

CSF_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

#define AS		1	/* the one under test */
#define VA		0x0000123456789000ULL	/* no index is 0 or 511 */

#define LOCK_ALL	0x3fULL

/**
 * struct ctx - a GPU with one address space
 * @m: GPU, clock and L2 on, @AS enabled
 * @root: top level table
 * @data: two pages for data, not contiguous as the GPU sees them
 */
struct ctx {
	struct csf_model *m;
	u64 *root;
	u64 *data[2];
};

/*
 * Helpers
 */

static u32 as_read(struct ctx *c, enum csf_as_reg reg)
{
	return csf_reg_read(c->m, REG_AS(AS, reg));
}

static void as_write(struct ctx *c, enum csf_as_reg reg, u32 val)
{
	csf_reg_write(c->m, REG_AS(AS, reg), val);
}

static void as_write64(struct ctx *c, enum csf_as_reg reg, u64 val)
{
	csf_test_as_write64(c->m, AS, reg, val);
}

static void as_command(struct ctx *c, u32 cmd)
{
	as_write(c, AS_COMMAND, cmd);
}

static void as_lock(struct ctx *c, u64 lockaddr)
{
	as_write64(c, AS_LOCKADDR_LO, lockaddr);
	as_command(c, AS_LOCK);
}

static void as_lock_and(struct ctx *c, u64 lockaddr, u32 cmd)
{
	as_lock(c, lockaddr);
	as_command(c, cmd);
}

static void as_enable(struct ctx *c, u64 transtab, u64 memattr, u64 transcfg)
{
	csf_test_as_enable(c->m, AS, transtab, memattr, transcfg);
}

static int gpu_access(struct ctx *c, u64 va, void *buf, size_t len, enum csf_access access)
{
	unsigned long flags = csf_lock(c->m);
	int ret = csf_mmu_access(c->m, AS, va, buf, len, access);

	csf_unlock(c->m, flags);
	return ret;
}

static int gpu_read(struct ctx *c, u64 va, u64 *val)
{
	*val = 0;
	return gpu_access(c, va, val, sizeof(*val), CSF_ACCESS_READ);
}

static int gpu_write(struct ctx *c, u64 va, u64 val)
{
	return gpu_access(c, va, &val, sizeof(val), CSF_ACCESS_WRITE);
}

static u64 *pte_at(struct kunit *test, u64 va, unsigned int level)
{
	struct ctx *c = test->priv;

	return csf_test_pte(test, c->root, va, level);
}

static void map_page(struct kunit *test, u64 va, const void *page, u64 flags)
{
	*pte_at(test, va, 3) = csf_test_pa(page) | flags;
}

/* The block that @page is in, such that @page appears at the address returned */
static u64 map_block(struct kunit *test, u64 va, const void *page, u64 flags)
{
	u64 pa = csf_test_pa(page);

	va &= ~(SZ_2M - 1ULL);
	*pte_at(test, va, 2) = (pa & ~(SZ_2M - 1ULL)) | flags;
	return va + (pa & (SZ_2M - 1));
}

static void expect_fault(struct kunit *test, int ret, u64 va, u32 code, enum csf_access access)
{
	struct ctx *c = test->priv;
	u64 addr;

	KUNIT_EXPECT_EQ(test, ret, -EFAULT);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_FAULTSTATUS), 0x21000000 | access << 8 | code);
	addr = as_read(c, AS_FAULTADDRESS_LO) | (u64)as_read(c, AS_FAULTADDRESS_LO + 1) << 32;
	KUNIT_EXPECT_EQ(test, addr, va);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MMU_INT + REG_INT_RAWSTAT), BIT(AS));
	csf_reg_write(c->m, REG_MMU_INT + REG_INT_CLEAR, BIT(AS));
}

static void expect_bug(struct kunit *test, enum csf_bug bug, u32 count)
{
	struct ctx *c = test->priv;

	KUNIT_EXPECT_EQ_MSG(test, c->m->bugs[bug], count, "driver bug %d", bug);
}

static int mmu_test_init(struct kunit *test)
{
	struct ctx *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	test->priv = c;
	c->root = csf_test_page(test);
	for (i = 0; i < ARRAY_SIZE(c->data); i++)
		c->data[i] = csf_test_page(test);
	c->m = csf_test_model(test);
	as_enable(c, csf_test_pa(c->root), MEMATTR, TRANSCFG);
	return 0;
}

/*
 * Walk
 */

/* A page is reached through four levels, for reading and writing */
static void mmu_test_page(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val;

	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW);
	c->data[0][3] = 0x1122334455667788;
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA + 24, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 0x1122334455667788);
	KUNIT_EXPECT_EQ(test, gpu_write(c, VA + 4088, 42), 0);
	KUNIT_EXPECT_EQ(test, c->data[0][511], 42);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_BYTES_READ], 8);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_BYTES_WRITTEN], 8);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_FAULTS], 0);
}

/* Bit 55 of a table descriptor is the driver's, non-coherent walks set it */
static void mmu_test_software_bit(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val;

	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW);
	*pte_at(test, VA, 0) |= BIT_ULL(55);
	*pte_at(test, VA, 2) |= BIT_ULL(55);
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), 0);
}

/* A 2 MiB block at level 2 */
static void mmu_test_block(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val, va;

	va = map_block(test, VA, c->data[0], GPU_PTE_BLOCK_RW);
	c->data[0][1] = 7;
	KUNIT_EXPECT_EQ(test, gpu_read(c, va + 8, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 7);
}

/* Both halves of the address space are one: no sign extension */
static void mmu_test_upper_half(struct kunit *test)
{
	struct ctx *c = test->priv;

	map_page(test, 0x800000001000, c->data[0], GPU_PTE_PAGE_RW);
	map_page(test, 0xfffffffff000, c->data[1], GPU_PTE_PAGE_RW);
	KUNIT_EXPECT_EQ(test, gpu_write(c, 0x800000001000, 1), 0);
	KUNIT_EXPECT_EQ(test, gpu_write(c, 0xfffffffffff8, 2), 0);
	KUNIT_EXPECT_EQ(test, c->data[0][0], 1);
	KUNIT_EXPECT_EQ(test, c->data[1][511], 2);
}

static const unsigned int levels[] = { 0, 1, 2, 3 };

static void level_desc(const unsigned int *level, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "level %u", *level);
}

KUNIT_ARRAY_PARAM(level, levels, level_desc);

/* An invalid descriptor at each level: type 0, and 2 with all else set */
static void mmu_test_invalid(struct kunit *test)
{
	unsigned int level = *(const unsigned int *)test->param_value;
	struct ctx *c = test->priv;
	u64 *pte = pte_at(test, VA, level);
	u64 val;

	*pte = 0;
	expect_fault(test, gpu_read(c, VA + 16, &val), VA + 16, 0xc0 + level, CSF_ACCESS_READ);
	*pte = ~1ULL;
	expect_fault(test, gpu_write(c, VA, 1), VA, 0xc0 + level, CSF_ACCESS_WRITE);
}

static const unsigned int no_block_levels[] = { 0, 1, 3 };

KUNIT_ARRAY_PARAM(no_block_level, no_block_levels, level_desc);

/* Type 1 is a block at level 2 only */
static void mmu_test_block_elsewhere(struct kunit *test)
{
	unsigned int level = *(const unsigned int *)test->param_value;
	struct ctx *c = test->priv;
	u64 val;

	*pte_at(test, VA, level) = csf_test_pa(c->data[0]) | GPU_PTE_BLOCK_RW;
	expect_fault(test, gpu_read(c, VA, &val), VA, 0xc0 + level, CSF_ACCESS_READ);
}

/* A table outside of RAM is a bug of the driver; the page behind it, too */
static void mmu_test_not_ram(struct kunit *test)
{
	unsigned int level = *(const unsigned int *)test->param_value;
	struct ctx *c = test->priv;
	u64 far = GENMASK_ULL(39, 12), val;

	*pte_at(test, VA, level) = far | GPU_PTE_PAGE_RW;
	/* the level that could not be read, or that of the leaf */
	expect_fault(test, gpu_read(c, VA, &val), VA, 0xe4 + min(level + 1, 3U),
		     CSF_ACCESS_READ);
	expect_bug(test, CSF_BUG_NOT_RAM, 1);
}

/* More bits than MMU_FEATURES has, in and out */
static void mmu_test_address_size(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val;

	expect_fault(test, gpu_read(c, BIT_ULL(48), &val), BIT_ULL(48), 0xe0, CSF_ACCESS_READ);
	*pte_at(test, VA, 3) = BIT_ULL(40) | GPU_PTE_PAGE_RW;
	expect_fault(test, gpu_read(c, VA, &val), VA, 0xe7, CSF_ACCESS_READ);
}

/* The access flag must be set */
static void mmu_test_access_flag(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val, va;

	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW & ~GPU_PTE_AF);
	expect_fault(test, gpu_read(c, VA, &val), VA, 0xdb, CSF_ACCESS_READ);
	va = map_block(test, VA + SZ_1G, c->data[0], GPU_PTE_BLOCK_RW & ~GPU_PTE_AF);
	expect_fault(test, gpu_read(c, va, &val), va, 0xda, CSF_ACCESS_READ);
}

/* Read-only pages and blocks: reads pass, also first, writes don't */
static void mmu_test_readonly(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val, va;

	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW | GPU_PTE_RO);
	expect_fault(test, gpu_write(c, VA + 8, 1), VA + 8, 0xcb, CSF_ACCESS_WRITE);
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), 0);
	expect_fault(test, gpu_write(c, VA, 1), VA, 0xcb, CSF_ACCESS_WRITE);
	va = map_block(test, VA + SZ_1G, c->data[0], GPU_PTE_BLOCK_RW | GPU_PTE_RO);
	expect_fault(test, gpu_write(c, va, 1), va, 0xca, CSF_ACCESS_WRITE);
	KUNIT_EXPECT_EQ(test, c->data[0][0], 0);
	KUNIT_EXPECT_EQ(test, c->data[0][1], 0);
}

/* No-execute concerns instruction fetches alone */
static void mmu_test_noexec(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val;

	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW | GPU_PTE_XN);
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), 0);
	KUNIT_EXPECT_EQ(test, gpu_write(c, VA, 1), 0);
	expect_fault(test, gpu_access(c, VA, &val, 8, CSF_ACCESS_EXEC), VA, 0xcb,
		     CSF_ACCESS_EXEC);
	map_page(test, VA + SZ_4K, c->data[0], GPU_PTE_PAGE_RW);
	KUNIT_EXPECT_EQ(test, gpu_access(c, VA + SZ_4K, &val, 8, CSF_ACCESS_EXEC), 0);
}

/* An attribute that says "fault" */
static void mmu_test_memattr(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val;

	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW);
	as_enable(c, csf_test_pa(c->root), MEMATTR | 0xc0 << 8, TRANSCFG);
	expect_fault(test, gpu_read(c, VA, &val), VA, 0xeb, CSF_ACCESS_READ);
}

/* An access over a page boundary is split; what comes before a fault is done */
static void mmu_test_cross_page(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val = 0x1111111122222222;

	map_page(test, VA, c->data[1], GPU_PTE_PAGE_RW);
	map_page(test, VA + SZ_4K, c->data[0], GPU_PTE_PAGE_RW);
	KUNIT_EXPECT_EQ(test, gpu_access(c, VA + 4092, &val, 8, CSF_ACCESS_WRITE), 0);
	KUNIT_EXPECT_EQ(test, c->data[1][511], 0x2222222200000000);
	KUNIT_EXPECT_EQ(test, c->data[0][0], 0x11111111);

	val = 0x3333333344444444;
	expect_fault(test, gpu_access(c, VA + 2 * SZ_4K - 4, &val, 8, CSF_ACCESS_WRITE),
		     VA + 2 * SZ_4K, 0xc3, CSF_ACCESS_WRITE);
	KUNIT_EXPECT_EQ(test, c->data[0][511], 0x4444444400000000);
}

/*
 * Written and latched registers
 */

/* Nothing but UPDATE changes what translates */
static void mmu_test_latch(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val;

	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW);
	as_write64(c, AS_TRANSTAB_LO, 0);
	as_write64(c, AS_MEMATTR_LO, ~0ULL);
	as_write64(c, AS_TRANSCFG_LO, AS_MODE_UNMAPPED);
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), 0);
	as_command(c, AS_UPDATE);
	expect_fault(test, gpu_read(c, VA, &val), VA, 0xc0, CSF_ACCESS_READ);
}

/* UPDATE with values that no driver should write */
static void mmu_test_bad_config(struct kunit *test)
{
	struct ctx *c = test->priv;

	as_enable(c, csf_test_pa(c->root), MEMATTR, TRANSCFG);
	expect_bug(test, CSF_BUG_AS_CONFIG, 0);
	as_enable(c, csf_test_pa(c->root) + 8, MEMATTR, TRANSCFG);
	expect_bug(test, CSF_BUG_AS_CONFIG, 1);
	as_enable(c, csf_test_pa(c->root), MEMATTR, 2);
	expect_bug(test, CSF_BUG_AS_CONFIG, 2);
	as_enable(c, 0, MEMATTR, TRANSCFG);
	expect_bug(test, CSF_BUG_AS_CONFIG, 3);
}

/*
 * TLB
 */

/* One page in the TLB, then cleared in the page table behind its back */
static void make_stale(struct kunit *test, u64 va)
{
	struct ctx *c = test->priv;
	u64 val;

	map_page(test, va, c->data[0], GPU_PTE_PAGE_RW);
	KUNIT_ASSERT_EQ(test, gpu_read(c, va, &val), 0);
	*pte_at(test, va, 3) = 0;
}

static bool cached(struct ctx *c, u64 va)
{
	u64 val;

	return gpu_read(c, va, &val) == 0;
}

/* A cleared descriptor is still in use, and noticed */
static void mmu_test_tlb_stale(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val;

	make_stale(test, VA);
	c->data[0][0] = 99;
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 99);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_TLB_MISSES], 1);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_WALKS], 1);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_TLB_HITS], 1);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_STALE_HITS], 1);
	/* the first one may be in order */
	expect_bug(test, CSF_BUG_STALE_TLB, 0);
}

/* A descriptor that points elsewhere is stale as well; a split block isn't */
static void mmu_test_tlb_changed(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val, va;

	make_stale(test, VA);
	map_page(test, VA, c->data[1], GPU_PTE_PAGE_RW);
	c->data[0][0] = 1;
	c->data[1][0] = 2;
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), 0);
	KUNIT_EXPECT_EQ(test, val, 1);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_STALE_HITS], 1);

	va = map_block(test, VA + SZ_1G, c->data[0], GPU_PTE_BLOCK_RW);
	KUNIT_EXPECT_EQ(test, gpu_read(c, va, &val), 0);
	*pte_at(test, va, 2) = 0;
	map_page(test, va, c->data[0], GPU_PTE_PAGE_RW);
	KUNIT_EXPECT_EQ(test, gpu_read(c, va, &val), 0);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_STALE_HITS], 1);
}

/* Stale for longer than any operation of a driver takes */
static void mmu_test_tlb_stale_long(struct kunit *test)
{
	struct ctx *c = test->priv;
	unsigned int i;
	u64 val;

	make_stale(test, VA);
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), 0);
	for (i = 0; i < c->m->tlb_entries; i++)
		if (c->m->as[AS].tlb[i].stale_since)
			c->m->as[AS].tlb[i].stale_since -= CSF_STALE_LIMIT_NS;
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), 0);
	expect_bug(test, CSF_BUG_STALE_TLB, 1);
}

static const u32 dropping[] = { AS_UPDATE, AS_UNLOCK, AS_FLUSH_PT, AS_FLUSH_MEM };

static void command_desc(const u32 *cmd, char *desc)
{
	static const char * const names[] = {
		"NOP", "UPDATE", "LOCK", "UNLOCK", "FLUSH_PT", "FLUSH_MEM"
	};

	strscpy(desc, names[*cmd], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(dropping, dropping, command_desc);

/* The commands after which the page table counts */
static void mmu_test_tlb_dropped(struct kunit *test)
{
	u32 cmd = *(const u32 *)test->param_value;
	struct ctx *c = test->priv;

	make_stale(test, VA);
	if (cmd != AS_UPDATE)
		as_lock(c, LOCK_ALL);
	as_command(c, cmd);
	KUNIT_EXPECT_FALSE(test, cached(c, VA));
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_STALE_HITS], 0);
}

static const u32 flushing[] = { AS_UNLOCK, AS_FLUSH_PT, AS_FLUSH_MEM };

KUNIT_ARRAY_PARAM(flushing, flushing, command_desc);

/* Regions: the smallest one, next to it, ignored base bits, everything */
static void mmu_test_tlb_region(struct kunit *test)
{
	static const struct {
		u64 va, lockaddr;
		bool dropped;
	} cases[] = {
		{ 0x0000, 0x000e, true },	/* 0 to 0x7fff */
		{ 0x7000, 0x000e, true },
		{ 0x8000, 0x000e, false },
		{ 0x0000, 0x400e, true },	/* bit 14 doesn't count */
		{ 0x7000, 0x400e, true },
		{ 0x0000, 0x800e, false },
		{ 0x8000, 0x800e, true },
		{ VA, (VA & ~0x1fffffULL) | 20, true },		/* 2 MiB */
		{ VA, ((VA + SZ_2M) & ~0x1fffffULL) | 20, false },
		{ VA, BIT_ULL(48) | 46, false },
		{ VA, 46, true },		/* 2^47 */
		{ 0x900000000000, 46, false },
		{ 0x900000000000, 47, true },
		{ 0x900000000000, LOCK_ALL, true },
	};
	u32 cmd = *(const u32 *)test->param_value;
	struct ctx *c = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		make_stale(test, cases[i].va);
		as_lock_and(c, cases[i].lockaddr, cmd);
		KUNIT_EXPECT_EQ_MSG(test, !cached(c, cases[i].va), cases[i].dropped,
				    "case %u: VA 0x%llx LOCKADDR 0x%llx", i, cases[i].va,
				    cases[i].lockaddr);
		as_lock_and(c, LOCK_ALL, AS_UNLOCK);
	}
}

/* What keeps the TLB: other commands, LOCKADDR alone, a cache flush */
static void mmu_test_tlb_kept(struct kunit *test)
{
	struct ctx *c = test->priv;

	make_stale(test, VA);
	as_command(c, AS_NOP);
	KUNIT_EXPECT_TRUE(test, cached(c, VA));
	as_write64(c, AS_LOCKADDR_LO, LOCK_ALL);
	KUNIT_EXPECT_TRUE(test, cached(c, VA));
	csf_reg_write(c->m, REG_GPU_CMD, GPU_FLUSH);
	KUNIT_EXPECT_TRUE(test, cached(c, VA));
	/* without a LOCK it has no region */
	as_command(c, AS_UNLOCK);
	KUNIT_EXPECT_TRUE(test, cached(c, VA));
	/* another address space */
	csf_reg_write(c->m, REG_AS(2, AS_LOCKADDR_LO), LOCK_ALL);
	csf_reg_write(c->m, REG_AS(2, AS_COMMAND), AS_FLUSH_MEM);
	csf_reg_write(c->m, REG_AS(2, AS_COMMAND), AS_UPDATE);
	KUNIT_EXPECT_TRUE(test, cached(c, VA));
}

/* LOCK itself keeps translations: only what ends it drops them */
static void mmu_test_tlb_lock(struct kunit *test)
{
	struct ctx *c = test->priv;
	struct csf_tlb_entry e;
	unsigned int slot, n = 0;

	make_stale(test, VA);
	as_lock(c, LOCK_ALL);
	for (slot = 0; slot < c->m->tlb_entries; slot++)
		n += csf_mmu_tlb_stale(c->m, AS, slot, &e);
	KUNIT_EXPECT_EQ(test, n, 1);
}

/* A flush of any part of a block drops all that came from it */
static void mmu_test_tlb_block(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 va = map_block(test, VA, c->data[0], GPU_PTE_BLOCK_RW);
	u64 start = va & ~(SZ_2M - 1ULL);

	KUNIT_EXPECT_TRUE(test, cached(c, va));
	*pte_at(test, va, 2) = 0;
	/* 32 KiB at whichever end of the block is not the page's */
	as_lock_and(c, (va - start < SZ_1M ? start + SZ_2M - SZ_32K : start) | 14, AS_FLUSH_PT);
	KUNIT_EXPECT_FALSE(test, cached(c, va));
}

/* Without a TLB each change is seen at once */
static void mmu_test_no_tlb(struct kunit *test)
{
	struct ctx *c = test->priv;

	KUNIT_ASSERT_EQ(test, csf_mmu_alloc(c->m, 0), 0);
	make_stale(test, VA);
	KUNIT_EXPECT_FALSE(test, cached(c, VA));
	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW);
	KUNIT_EXPECT_TRUE(test, cached(c, VA));
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_TLB_HITS], 0);
}

/* A TLB of one entry: correct, if slow */
static void mmu_test_tiny_tlb(struct kunit *test)
{
	struct ctx *c = test->priv;
	unsigned int i;
	u64 val;

	KUNIT_ASSERT_EQ(test, csf_mmu_alloc(c->m, 1), 0);
	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW);
	map_page(test, VA + SZ_4K, c->data[1], GPU_PTE_PAGE_RW);
	c->data[0][0] = 10;
	c->data[1][0] = 11;
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, gpu_read(c, VA + (i & 1) * SZ_4K, &val), 0);
		KUNIT_EXPECT_EQ(test, val, 10 + (i & 1));
	}
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_TLB_MISSES], 4);
}

/* A failed walk is not cached: the next access finds what was mapped since */
static void mmu_test_tlb_negative(struct kunit *test)
{
	struct ctx *c = test->priv;

	KUNIT_EXPECT_FALSE(test, cached(c, VA));
	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW);
	KUNIT_EXPECT_TRUE(test, cached(c, VA));
}

/* Reset and L2 power-off forget all translations */
static void mmu_test_tlb_power(struct kunit *test)
{
	struct ctx *c = test->priv;

	make_stale(test, VA);
	csf_reg_write(c->m, REG_L2_PWROFF, 1);
	csf_reg_write(c->m, REG_L2_PWRON, 1);
	KUNIT_EXPECT_FALSE(test, cached(c, VA));
}

/*
 * Commands
 */

/* Accesses to a locked region wait; all others pass */
static void mmu_test_lock(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val;

	map_page(test, 0x7000, c->data[0], GPU_PTE_PAGE_RW);
	map_page(test, 0x8000, c->data[1], GPU_PTE_PAGE_RW);
	as_lock(c, 14);		/* 0 to 0x7fff */
	KUNIT_EXPECT_EQ(test, gpu_read(c, 0x7ff8, &val), -EAGAIN);
	KUNIT_EXPECT_EQ(test, gpu_write(c, 0, 1), -EAGAIN);
	KUNIT_EXPECT_EQ(test, gpu_read(c, 0x8000, &val), 0);
	KUNIT_EXPECT_EQ(test, gpu_access(c, 0x7ffc, &val, 8, CSF_ACCESS_READ), -EAGAIN);
	as_command(c, AS_UNLOCK);
	KUNIT_EXPECT_EQ(test, gpu_read(c, 0x7ff8, &val), 0);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_FAULTS], 0);
}

/* The region ends what LOCK began, whatever LOCKADDR says by then */
static void mmu_test_lock_region_kept(struct kunit *test)
{
	struct ctx *c = test->priv;

	make_stale(test, VA);
	as_lock(c, VA | 14);
	as_write64(c, AS_LOCKADDR_LO, 14);
	as_command(c, AS_FLUSH_PT);
	KUNIT_EXPECT_FALSE(test, cached(c, VA));
}

/* A second LOCK may enlarge the region, but not forget a part of it */
static void mmu_test_lock_again(struct kunit *test)
{
	struct ctx *c = test->priv;

	as_lock(c, 14);
	as_lock(c, 20);
	expect_bug(test, CSF_BUG_AS_LOCK_LOST, 0);
	as_lock(c, 14);
	expect_bug(test, CSF_BUG_AS_LOCK_LOST, 1);
}

/* With a latency, STATUS is busy and the effect comes at the end */
static void mmu_test_latency(struct kunit *test)
{
	struct ctx *c = test->priv;
	unsigned int polls = 0;

	make_stale(test, VA);
	c->m->knobs.as_latency_us = 5000;
	as_write64(c, AS_LOCKADDR_LO, LOCK_ALL);
	as_command(c, AS_FLUSH_PT);
	KUNIT_EXPECT_TRUE(test, cached(c, VA));
	while (as_read(c, AS_STATUS) & 1 && ++polls < 100000)
		usleep_range(10, 20);
	KUNIT_EXPECT_GT(test, polls, 0);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_STATUS), 0);
	KUNIT_EXPECT_FALSE(test, cached(c, VA));
}

/* One command is late, those after it are not */
static void mmu_test_late(struct kunit *test)
{
	struct ctx *c = test->priv;

	c->m->knobs.as_late_us = USEC_PER_SEC;
	as_command(c, AS_FLUSH_PT);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_STATUS) & 1, 1);
	c->m->as[AS].deadline = 0;
	KUNIT_EXPECT_EQ(test, as_read(c, AS_STATUS), 0);
	as_command(c, AS_FLUSH_PT);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_STATUS), 0);
}

/* Drivers use an AS without waiting for the end of UPDATE: accesses do */
static void mmu_test_slow_update(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val;

	map_page(test, VA, c->data[0], GPU_PTE_PAGE_RW);
	c->m->knobs.as_latency_us = USEC_PER_SEC;
	as_command(c, AS_UPDATE);
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), -EAGAIN);
	c->m->as[AS].deadline = 0;
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), 0);
}

/* A command while one is active is lost, and a bug */
static void mmu_test_busy(struct kunit *test)
{
	struct ctx *c = test->priv;

	make_stale(test, VA);
	c->m->knobs.as_latency_us = USEC_PER_SEC;
	as_command(c, AS_NOP);
	as_command(c, AS_FLUSH_PT);
	expect_bug(test, CSF_BUG_AS_BUSY, 1);
	c->m->as[AS].deadline = 0;
	KUNIT_EXPECT_EQ(test, as_read(c, AS_STATUS), 0);
	KUNIT_EXPECT_TRUE(test, cached(c, VA));
}

/* The n-th command hangs, until reset */
static void mmu_test_hang(struct kunit *test)
{
	struct ctx *c = test->priv;

	c->m->knobs.as_hang_nth = 2;
	as_command(c, AS_NOP);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_STATUS), 0);
	as_lock(c, LOCK_ALL);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_STATUS), 1);
	c->m->as[AS].deadline = 0;
	KUNIT_EXPECT_EQ(test, as_read(c, AS_STATUS), 1);
	csf_reg_write(c->m, REG_GPU_CMD, GPU_SOFT_RESET);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_STATUS), 0);
}

/* The n-th cache flush never tells that it's done */
static void mmu_test_flush_hang(struct kunit *test)
{
	struct ctx *c = test->priv;

	c->m->knobs.flush_hang_nth = 1;
	csf_reg_write(c->m, REG_GPU_CMD, GPU_FLUSH);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_GPU_INT + REG_INT_RAWSTAT) & BIT(17), 0);
	csf_reg_write(c->m, REG_GPU_CMD, GPU_FLUSH);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_GPU_INT + REG_INT_RAWSTAT) & BIT(17), BIT(17));
}

/* The n-th command has no effect, but releases its lock */
static void mmu_test_drop(struct kunit *test)
{
	struct ctx *c = test->priv;

	make_stale(test, VA);
	c->m->knobs.as_drop_nth = 2;
	as_lock_and(c, LOCK_ALL, AS_FLUSH_PT);
	KUNIT_EXPECT_TRUE(test, cached(c, VA));
	as_lock_and(c, LOCK_ALL, AS_FLUSH_PT);
	KUNIT_EXPECT_FALSE(test, cached(c, VA));
}

/* Unknown commands; commands to an AS that doesn't exist */
static void mmu_test_bad_command(struct kunit *test)
{
	struct ctx *c = test->priv;

	as_command(c, AS_NUM_COMMANDS);
	expect_bug(test, CSF_BUG_AS_CMD, 1);
	csf_reg_write(c->m, REG_AS(9, AS_TRANSTAB_LO), 0x1000);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_AS(9, AS_TRANSTAB_LO)), 0);
}

/*
 * Faults and interrupts
 */

/* The first fault counts, until it is cleared; clearing keeps its details */
static void mmu_test_fault_record(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 val;

	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), -EFAULT);
	KUNIT_EXPECT_EQ(test, gpu_write(c, VA + SZ_4K, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_FAULTADDRESS_LO), lower_32_bits(VA));
	csf_reg_write(c->m, REG_MMU_INT + REG_INT_CLEAR, BIT(AS));
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MMU_INT + REG_INT_RAWSTAT), 0);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_FAULTSTATUS), 0x210002c0);
	KUNIT_EXPECT_EQ(test, gpu_write(c, VA + SZ_4K, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_FAULTADDRESS_LO), lower_32_bits(VA + SZ_4K));
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_FAULTS], 3);
	/* UPDATE makes room as well, and leaves the details alone */
	as_command(c, AS_UPDATE);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_FAULTSTATUS), 0x210003c0);
	KUNIT_EXPECT_EQ(test, gpu_read(c, VA, &val), -EFAULT);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_FAULTADDRESS_LO), lower_32_bits(VA));
}

/* STAT is RAWSTAT & MASK; only bits of ASs that exist can be enabled */
static void mmu_test_interrupt(struct kunit *test)
{
	struct ctx *c = test->priv;

	csf_reg_write(c->m, REG_MMU_INT + REG_INT_MASK, 0xffffffff);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MMU_INT + REG_INT_MASK), 0xff);
	csf_reg_write(c->m, REG_MMU_INT + REG_INT_RAWSTAT, 0x30);
	csf_reg_write(c->m, REG_MMU_INT + REG_INT_MASK, 0x10);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MMU_INT + REG_INT_STAT), 0x10);
	KUNIT_EXPECT_TRUE(test, c->m->kick);
	csf_reg_write(c->m, REG_MMU_INT + REG_INT_CLEAR, 0x10);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MMU_INT + REG_INT_RAWSTAT), 0x20);
}

/*
 * Register file
 */

/* A reset keeps the GPU interrupt mask, announces itself, and little else */
static void mmu_test_reset(struct kunit *test)
{
	struct ctx *c = test->priv;

	csf_reg_write(c->m, REG_GPU_INT + REG_INT_MASK, 0x20103);
	csf_reg_write(c->m, REG_MMU_INT + REG_INT_MASK, 0xff);
	csf_reg_write(c->m, REG_MMU_INT + REG_INT_RAWSTAT, 1);
	csf_reg_write(c->m, REG_GPU_CMD, GPU_SOFT_RESET);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_GPU_INT + REG_INT_MASK), 0x20103);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_GPU_INT + REG_INT_STAT), BIT(8));
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MMU_INT + REG_INT_RAWSTAT), 0);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_L2_READY), 0);
	KUNIT_EXPECT_EQ(test, as_read(c, AS_TRANSTAB_LO), 0);
	KUNIT_EXPECT_EQ(test, csf_as_mode(&c->m->as[AS]), AS_MODE_UNMAPPED);
}

/* L2 follows requests, of what is there, unless power is refused */
static void mmu_test_power(struct kunit *test)
{
	struct ctx *c = test->priv;

	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_L2_READY), 1);
	csf_reg_write(c->m, REG_L2_PWROFF, 1);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_L2_READY), 0);
	c->m->knobs.refuse_power = true;
	csf_reg_write(c->m, REG_L2_PWRON, 1);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_L2_READY), 0);
	c->m->knobs.refuse_power = false;
	csf_reg_write(c->m, REG_L2_PWRON, 0xff);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_L2_READY), 1);
}

/* An AS is enabled, or the MCU started, without L2 */
static void mmu_test_no_power(struct kunit *test)
{
	struct ctx *c = test->priv;

	csf_reg_write(c->m, REG_GPU_CMD, GPU_SOFT_RESET);
	as_lock_and(c, LOCK_ALL, AS_FLUSH_MEM);
	expect_bug(test, CSF_BUG_POWER, 0);
	as_enable(c, csf_test_pa(c->root), MEMATTR, TRANSCFG);
	expect_bug(test, CSF_BUG_POWER, 1);
	csf_reg_write(c->m, REG_MCU_CONTROL, 2);
	expect_bug(test, CSF_BUG_POWER, 2);
}

/* Accesses that are bugs: clock off, no such register, wrong direction */
static void mmu_test_bad_access(struct kunit *test)
{
	struct ctx *c = test->priv;

	c->m->clock_on = false;
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, 0), 0);
	csf_reg_write(c->m, REG_L2_PWROFF, 1);
	expect_bug(test, CSF_BUG_REG_CLOCK_OFF, 2);
	c->m->clock_on = true;
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, 0), 0xa8670005);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_L2_READY), 1);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, 0x1f0000 + 4), 0);
	expect_bug(test, CSF_BUG_REG_UNKNOWN, 1);
	csf_reg_write(c->m, 0, 1);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_GPU_CMD), 0);
	expect_bug(test, CSF_BUG_REG_ACCESS, 2);
}

/* Time goes on, and reads the same way as drivers do: high, low, high */
static void mmu_test_time(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 t[2], cycles[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		t[i] = csf_reg_read(c->m, 0x98) | (u64)csf_reg_read(c->m, 0x9c) << 32;
		cycles[i] = csf_reg_read(c->m, 0x90) | (u64)csf_reg_read(c->m, 0x94) << 32;
		usleep_range(10, 20);
	}
	KUNIT_EXPECT_GT(test, t[1], t[0]);
	KUNIT_EXPECT_GT(test, cycles[1], cycles[0]);
}

static struct kunit_case mmu_test_cases[] = {
	KUNIT_CASE(mmu_test_page),
	KUNIT_CASE(mmu_test_software_bit),
	KUNIT_CASE(mmu_test_block),
	KUNIT_CASE(mmu_test_upper_half),
	KUNIT_CASE_PARAM(mmu_test_invalid, level_gen_params),
	KUNIT_CASE_PARAM(mmu_test_block_elsewhere, no_block_level_gen_params),
	KUNIT_CASE_PARAM(mmu_test_not_ram, level_gen_params),
	KUNIT_CASE(mmu_test_address_size),
	KUNIT_CASE(mmu_test_access_flag),
	KUNIT_CASE(mmu_test_readonly),
	KUNIT_CASE(mmu_test_noexec),
	KUNIT_CASE(mmu_test_memattr),
	KUNIT_CASE(mmu_test_cross_page),
	KUNIT_CASE(mmu_test_latch),
	KUNIT_CASE(mmu_test_bad_config),
	KUNIT_CASE(mmu_test_tlb_stale),
	KUNIT_CASE(mmu_test_tlb_changed),
	KUNIT_CASE(mmu_test_tlb_stale_long),
	KUNIT_CASE_PARAM(mmu_test_tlb_dropped, dropping_gen_params),
	KUNIT_CASE_PARAM(mmu_test_tlb_region, flushing_gen_params),
	KUNIT_CASE(mmu_test_tlb_kept),
	KUNIT_CASE(mmu_test_tlb_lock),
	KUNIT_CASE(mmu_test_tlb_block),
	KUNIT_CASE(mmu_test_no_tlb),
	KUNIT_CASE(mmu_test_tiny_tlb),
	KUNIT_CASE(mmu_test_tlb_negative),
	KUNIT_CASE(mmu_test_tlb_power),
	KUNIT_CASE(mmu_test_lock),
	KUNIT_CASE(mmu_test_lock_region_kept),
	KUNIT_CASE(mmu_test_lock_again),
	KUNIT_CASE(mmu_test_latency),
	KUNIT_CASE(mmu_test_late),
	KUNIT_CASE(mmu_test_slow_update),
	KUNIT_CASE(mmu_test_busy),
	KUNIT_CASE(mmu_test_hang),
	KUNIT_CASE(mmu_test_flush_hang),
	KUNIT_CASE(mmu_test_drop),
	KUNIT_CASE(mmu_test_bad_command),
	KUNIT_CASE(mmu_test_fault_record),
	KUNIT_CASE(mmu_test_interrupt),
	KUNIT_CASE(mmu_test_reset),
	KUNIT_CASE(mmu_test_power),
	KUNIT_CASE(mmu_test_no_power),
	KUNIT_CASE(mmu_test_bad_access),
	KUNIT_CASE(mmu_test_time),
	{}
};

static struct kunit_suite mmu_test_suite = {
	.name = "mali-csf-mmu",
	.init = mmu_test_init,
	.test_cases = mmu_test_cases,
};

kunit_test_suite(mmu_test_suite);
