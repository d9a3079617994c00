/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the software Mali CSF GPU share: pages and page tables.
 */
#ifndef MALI_CSF_MODEL_KUNIT_UTIL_H
#define MALI_CSF_MODEL_KUNIT_UTIL_H

#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "model.h"

#define REG_INT_RAWSTAT	0x00
#define REG_INT_CLEAR	0x04
#define REG_INT_MASK	0x08
#define REG_INT_STAT	0x0c
#define REG_GPU_INT	0x20
#define REG_JOB_INT	0x1000
#define REG_MMU_INT	0x2000
#define REG_GPU_CMD	0x30
#define REG_L2_READY	0x160
#define REG_L2_PWRON	0x1a0
#define REG_L2_PWROFF	0x1e0
#define REG_MCU_CONTROL	0x700
#define REG_MCU_STATUS	0x704
#define REG_DOORBELL(n)	(0x80000 + (n) * 0x10000)
#define REG_AS(nr, reg)	(0x2400 + (nr) * 0x40 + (reg) * 4)

#define GPU_SOFT_RESET	0x101
#define GPU_FLUSH	0x1104

/* Descriptors as panthor writes them */
#define GPU_PTE_TABLE	0x3ULL
#define GPU_PTE_PAGE_RW	0xf47ULL
#define GPU_PTE_BLOCK_RW	0xf45ULL
#define GPU_PTE_RO		BIT_ULL(7)
#define GPU_PTE_AF		BIT_ULL(10)
#define GPU_PTE_XN		BIT_ULL(54)
#define GPU_PTE_ADDR	GENMASK_ULL(47, 12)

#define MEMATTR		0x9f9f9f9f9c4c9f4cULL
#define TRANSCFG	0x620001c6ULL

static inline void csf_test_free_page(void *page)
{
	free_page((unsigned long)page);
}

/* A page full of zeroes, until the end of the test */
static inline void *csf_test_page(struct kunit *test)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, csf_test_free_page, page), 0);
	return page;
}

static inline u64 csf_test_pa(const void *mem)
{
	return virt_to_phys((void *)mem);
}

/* The descriptor of @va at @level below the top table @root; makes the tables above it */
static inline u64 *csf_test_pte(struct kunit *test, u64 *root, u64 va, unsigned int level)
{
	u64 *table = root;
	unsigned int l;

	for (l = 0; ; l++) {
		u64 *pte = &table[(va >> (39 - 9 * l)) & 0x1ff];

		if (l == level)
			return pte;
		if (!*pte)
			*pte = csf_test_pa(csf_test_page(test)) | GPU_PTE_TABLE;
		table = phys_to_virt(*pte & GPU_PTE_ADDR);
	}
}

static inline void csf_test_as_write64(struct csf_model *m, unsigned int nr, enum csf_as_reg reg,
				       u64 val)
{
	csf_reg_write(m, REG_AS(nr, reg), lower_32_bits(val));
	csf_reg_write(m, REG_AS(nr, reg + 1), upper_32_bits(val));
}

static inline void csf_test_as_enable(struct csf_model *m, unsigned int nr, u64 transtab,
				      u64 memattr, u64 transcfg)
{
	csf_test_as_write64(m, nr, AS_TRANSTAB_LO, transtab);
	csf_test_as_write64(m, nr, AS_MEMATTR_LO, memattr);
	csf_test_as_write64(m, nr, AS_TRANSCFG_LO, transcfg);
	csf_reg_write(m, REG_AS(nr, AS_COMMAND), AS_UPDATE);
}

static inline void csf_test_destroy(void *m)
{
	csf_model_destroy(m);
}

/* A G610 with clock and L2 on, that counts driver bugs without a word */
static inline struct csf_model *csf_test_model(struct kunit *test)
{
	struct csf_model *m = csf_model_create(csf_variant_find("g610"), true, 64);

	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, csf_test_destroy, m), 0);
	m->quiet = true;
	m->clock_on = true;
	csf_reg_write(m, REG_L2_PWRON, 1);
	return m;
}

#endif
