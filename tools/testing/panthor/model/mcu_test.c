// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the firmware of the software Mali CSF GPU: the host's side of the
 * interfaces played by hand, without a driver.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include "compat.h"
#include "fw_iface.h"
#include "kunit_util.h"

CSF_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);

/* MCU addresses: shared section, ring pages and suspend buffer behind it */
#define SHARED_PAGES	16
#define RING_IN		(FW_SHARED + 0x20000)
#define RING_OUT	(RING_IN + SZ_4K)
#define SUSPEND_BUF	(FW_SHARED + 0x30000)
#define SUSPEND_PAGES	7
#define MCU_PAGES	(SHARED_PAGES + 2 + SUSPEND_PAGES)

/* Group addresses */
#define RING		0x800000001000ULL
#define RING_SIZE	SZ_4K
#define DATA		0x20000000ULL

#define DOORBELL	3

/**
 * struct ctx - a GPU whose firmware can be booted
 * @m: GPU; AS0 has the firmware's memory, AS1 and AS2 that of a group
 * @mcu_root: top table of AS0
 * @root: top table of AS1 and AS2
 * @page: memory of AS0 in the order of the addresses above
 * @ring: of the stream that is started
 * @data: mapped at %DATA
 * @insert: bytes put into the ring
 */
struct ctx {
	struct csf_model *m;
	u64 *mcu_root;
	u64 *root;
	void *page[MCU_PAGES];
	u64 *ring;
	u64 *data;
	u64 insert;
};

/*
 * The host
 */

/* Where the host finds a word of the firmware's memory */
static u32 *fw(struct kunit *test, u64 va)
{
	struct ctx *c = test->priv;
	u64 *pte = csf_test_pte(test, c->mcu_root, va, 3);

	return phys_to_virt((*pte & GPU_PTE_ADDR) + (va & ~CSF_PAGE_MASK));
}

static void fw_set64(struct kunit *test, u64 va, u64 val)
{
	*(u64 *)fw(test, va) = val;
}

static void map_mcu(struct kunit *test, unsigned int *n, u64 va, unsigned int pages)
{
	struct ctx *c = test->priv;

	for (; pages; pages--, va += SZ_4K) {
		c->page[*n] = csf_test_page(test);
		*csf_test_pte(test, c->mcu_root, va, 3) = csf_test_pa(c->page[(*n)++]) |
							  GPU_PTE_PAGE_RW;
	}
}

static void map_group(struct kunit *test, u64 va, void *page)
{
	struct ctx *c = test->priv;

	*csf_test_pte(test, c->root, va, 3) = csf_test_pa(page) | GPU_PTE_PAGE_RW;
}

static void enable_as(struct kunit *test, unsigned int nr)
{
	struct ctx *c = test->priv;

	csf_test_as_enable(c->m, nr, csf_test_pa(nr ? c->root : c->mcu_root), MEMATTR, TRANSCFG);
}

/* As long as the threads would find something to do */
static void let_run(struct kunit *test)
{
	struct ctx *c = test->priv;
	unsigned int rounds = 0;
	unsigned long flags;
	bool more;

	do {
		flags = csf_lock(c->m);
		csf_mcu_pass(c->m);
		csf_unlock(c->m, flags);
		more = csf_csg_run(c->m);
	} while (more && ++rounds < 100);
}

static void boot(struct kunit *test)
{
	struct ctx *c = test->priv;

	csf_reg_write(c->m, REG_MCU_CONTROL, 2);
	KUNIT_ASSERT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_ENABLED);
	csf_reg_write(c->m, REG_JOB_INT + REG_INT_CLEAR, ~0);
}

static u32 take_job_irqs(struct ctx *c)
{
	u32 bits = csf_reg_read(c->m, REG_JOB_INT + REG_INT_RAWSTAT);

	csf_reg_write(c->m, REG_JOB_INT + REG_INT_CLEAR, bits);
	return bits;
}

static void ring_global(struct kunit *test)
{
	struct ctx *c = test->priv;

	csf_reg_write(c->m, REG_DOORBELL(0), 1);
	let_run(test);
}

static void ring_group(struct kunit *test, unsigned int csg)
{
	*fw(test, FW_GLB_IN + GLB_DOORBELL_REQ) ^= BIT(csg);
	ring_global(test);
}

static void request_state(struct kunit *test, unsigned int csg, u32 state)
{
	u32 *req = fw(test, FW_CSG_IN(csg) + CSG_REQ);

	*req = (*req & ~CSG_REQ_STATE) | state;
	ring_group(test, csg);
}

static u32 csg_ack(struct kunit *test, unsigned int csg)
{
	return *fw(test, FW_CSG_OUT(csg) + CSG_ACK);
}

static u32 csg_events(struct kunit *test, unsigned int csg)
{
	return (*fw(test, FW_CSG_IN(csg) + CSG_REQ) ^ csg_ack(test, csg)) & CSG_REQ_EVENTS;
}

static void ack_csg_events(struct kunit *test, unsigned int csg)
{
	*fw(test, FW_CSG_IN(csg) + CSG_REQ) ^= csg_events(test, csg);
	ring_group(test, csg);
}

static u32 cs_events(struct kunit *test, unsigned int csg)
{
	return (*fw(test, FW_CS_IN(csg, 0) + CS_REQ) ^ *fw(test, FW_CS_OUT(csg, 0) + CS_ACK)) &
	       CS_REQ_EVENTS;
}

/* One group with one stream, which starts or resumes in the given slot */
static void start_group(struct kunit *test, unsigned int csg, unsigned int as, u32 state)
{
	u64 in = FW_CSG_IN(csg), cs = FW_CS_IN(csg, 0);

	*fw(test, in + CSG_ACK_IRQ_MASK) = ~0;
	*fw(test, in + CSG_CONFIG) = as;
	fw_set64(test, in + CSG_SUSPEND_BUF, SUSPEND_BUF);
	*fw(test, cs + CS_CONFIG) = DOORBELL << 8;
	*fw(test, cs + CS_ACK_IRQ_MASK) = ~0;
	fw_set64(test, cs + CS_RINGBUF_BASE, RING);
	*fw(test, cs + CS_RINGBUF_SIZE) = RING_SIZE;
	fw_set64(test, cs + CS_RINGBUF_INPUT, RING_IN);
	fw_set64(test, cs + CS_RINGBUF_OUTPUT, RING_OUT);
	*fw(test, cs + CS_REQ) = CS_START | CS_REQ_IDLE_EMPTY | CS_REQ_IDLE_SYNC_WAIT |
				 cs_events(test, csg);
	*fw(test, in + CSG_DOORBELL_REQ) ^= BIT(0);
	request_state(test, csg, state);
}

static void put(struct kunit *test, u64 instr)
{
	struct ctx *c = test->priv;

	c->ring[(c->insert % RING_SIZE) / sizeof(u64)] = instr;
	c->insert += sizeof(u64);
	fw_set64(test, RING_IN + RING_INSERT, c->insert);
}

static void ring_user(struct kunit *test)
{
	struct ctx *c = test->priv;

	csf_reg_write(c->m, REG_DOORBELL(DOORBELL), 1);
	let_run(test);
}

static void put_store(struct kunit *test, u64 va, u32 val)
{
	put(test, csf_move48(2, va));
	put(test, csf_move32(4, val));
	put(test, csf_store_multiple(4, 2, 1, 0));
}

static void put_sync(struct kunit *test)
{
	put(test, csf_move48(2, DATA + 64));
	put(test, csf_move48(4, 1));
	put(test, csf_sync_add64(2, 4));
}

static void expect_bug(struct kunit *test, enum csf_bug bug, u32 count)
{
	struct ctx *c = test->priv;

	KUNIT_EXPECT_EQ_MSG(test, c->m->bugs[bug], count, "driver bug %d", bug);
}

static void expect_no_bugs(struct kunit *test)
{
	struct ctx *c = test->priv;

	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_WARNINGS], 0);
}

static int mcu_test_init(struct kunit *test)
{
	struct ctx *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	unsigned int n = 0;

	KUNIT_ASSERT_NOT_NULL(test, c);
	test->priv = c;
	c->mcu_root = csf_test_page(test);
	c->root = csf_test_page(test);
	c->ring = csf_test_page(test);
	c->data = csf_test_page(test);
	map_mcu(test, &n, FW_SHARED, SHARED_PAGES);
	map_mcu(test, &n, RING_IN, 2);
	map_mcu(test, &n, SUSPEND_BUF, SUSPEND_PAGES);
	map_group(test, RING, c->ring);
	map_group(test, DATA, c->data);
	c->m = csf_test_model(test);
	enable_as(test, 0);
	enable_as(test, 1);
	enable_as(test, 2);
	return 0;
}

/*
 * Boot, global interface
 */

/* The control blocks describe the interface, then the interrupt comes */
static void mcu_test_boot(struct kunit *test)
{
	struct ctx *c = test->priv;

	csf_reg_write(c->m, REG_MCU_CONTROL, 2);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_ENABLED);
	KUNIT_EXPECT_EQ(test, take_job_irqs(c), CSF_JOB_IRQ_GLOBAL);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_SHARED + GLB_VERSION), FW_VERSION);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_SHARED + GLB_GROUP_NUM), CSF_NUM_CSGS);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_GROUP_CONTROL(7) + GROUP_INPUT_VA), FW_CSG_IN(7));
	KUNIT_EXPECT_EQ(test, *fw(test, FW_STREAM_CONTROL(7, 7) + STREAM_OUTPUT_VA),
			FW_CS_OUT(7, 7));
	csf_reg_write(c->m, REG_MCU_CONTROL, 0);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_DISABLED);
	expect_no_bugs(test);
}

/* Without its memory the firmware is dead */
static void mcu_test_boot_unmapped(struct kunit *test)
{
	struct ctx *c = test->priv;

	*csf_test_pte(test, c->mcu_root, FW_SHARED + SZ_4K, 3) = 0;
	csf_reg_write(c->m, REG_MCU_CONTROL, 1);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_FATAL);
	KUNIT_EXPECT_EQ(test, take_job_irqs(c), 0);
	expect_bug(test, CSF_BUG_MCU_FAULT, 1);
}

/* Drivers boot without waiting for the UPDATE of AS0 */
static void mcu_test_boot_slow_update(struct kunit *test)
{
	struct ctx *c = test->priv;

	c->m->knobs.as_latency_us = USEC_PER_SEC;
	enable_as(test, 0);
	csf_reg_write(c->m, REG_MCU_CONTROL, 2);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_DISABLED);
	c->m->as[0].deadline = 0;
	let_run(test);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_ENABLED);
	expect_no_bugs(test);
}

/* The firmware takes its time, without any command that it could wait for */
static void mcu_test_slow_boot(struct kunit *test)
{
	struct ctx *c = test->priv;

	c->m->knobs.boot_latency_us = USEC_PER_SEC;
	enable_as(test, 0);
	csf_reg_write(c->m, REG_MCU_CONTROL, 2);
	let_run(test);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_DISABLED);
	c->m->mcu.boot_time = 0;
	let_run(test);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_ENABLED);
	expect_no_bugs(test);
}

/* HALT takes effect within the doorbell write; without doorbell, or twice, not */
static void mcu_test_halt(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	*fw(test, FW_GLB_OUT + GLB_HALT_STATUS) = 0x4e;
	*fw(test, FW_GLB_IN + GLB_REQ) |= GLB_REQ_HALT;
	let_run(test);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_ENABLED);
	csf_reg_write(c->m, REG_DOORBELL(0), 1);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_HALTED);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_GLB_OUT + GLB_HALT_STATUS), 0);
	*fw(test, FW_GLB_IN + GLB_REQ) &= ~GLB_REQ_HALT;
	csf_reg_write(c->m, REG_MCU_CONTROL, 0);
	boot(test);
	expect_no_bugs(test);
}

/* Toggles and levels are acknowledged, with an interrupt if enabled */
static void mcu_test_global_requests(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	*fw(test, FW_GLB_IN + GLB_REQ) = 0x48e;
	ring_global(test);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_GLB_OUT + GLB_ACK), 0x48e);
	KUNIT_EXPECT_EQ(test, take_job_irqs(c), 0);

	*fw(test, FW_GLB_IN + GLB_ACK_IRQ_MASK) = GLB_REQ_PING;
	*fw(test, FW_GLB_IN + GLB_REQ) ^= GLB_REQ_PING;
	ring_global(test);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_GLB_OUT + GLB_ACK), 0x58e);
	KUNIT_EXPECT_EQ(test, take_job_irqs(c), CSF_JOB_IRQ_GLOBAL);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_PINGS], 1);
	expect_no_bugs(test);

	*fw(test, FW_GLB_IN + GLB_REQ) ^= BIT(11);
	ring_global(test);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_GLB_OUT + GLB_ACK), 0x58e);
	expect_bug(test, CSF_BUG_REQ_IGNORED, 1);
}

/* A firmware that hangs does nothing, until reset */
static void mcu_test_hang(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	c->m->knobs.mcu_hang = 1;
	*fw(test, FW_GLB_IN + GLB_REQ) = GLB_REQ_PING | GLB_REQ_HALT;
	ring_global(test);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_GLB_OUT + GLB_ACK), 0);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_ENABLED);
	csf_reg_write(c->m, REG_GPU_CMD, GPU_SOFT_RESET);
	KUNIT_EXPECT_EQ(test, c->m->knobs.mcu_hang, 0);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MCU_STATUS), MCU_DISABLED);
}

/* While a region of AS0 is locked the firmware waits */
static void mcu_test_as0_locked(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	csf_test_as_write64(c->m, 0, AS_LOCKADDR_LO, 0x3f);
	csf_reg_write(c->m, REG_AS(0, AS_COMMAND), AS_LOCK);
	*fw(test, FW_GLB_IN + GLB_REQ) = GLB_REQ_PING;
	ring_global(test);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_GLB_OUT + GLB_ACK), 0);
	csf_reg_write(c->m, REG_AS(0, AS_COMMAND), AS_UNLOCK);
	let_run(test);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_GLB_OUT + GLB_ACK), GLB_REQ_PING);
	expect_no_bugs(test);
}

/*
 * Groups
 */

/* START, a job, its events, TERMINATE */
static void mcu_test_group(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	put_store(test, DATA, 42);
	put_sync(test);
	start_group(test, 0, 1, CSG_START);
	KUNIT_EXPECT_EQ(test, c->data[0], 42);
	KUNIT_EXPECT_EQ(test, c->data[8], 1);
	KUNIT_EXPECT_EQ(test, csg_ack(test, 0) & CSG_REQ_STATE, CSG_START);
	KUNIT_EXPECT_EQ(test, csg_events(test, 0), CSG_EV_SYNC_UPDATE | CSG_EV_IDLE);
	KUNIT_EXPECT_EQ(test, *(u64 *)fw(test, RING_OUT + RING_EXTRACT), c->insert);
	KUNIT_EXPECT_EQ(test, take_job_irqs(c), BIT(0));
	ack_csg_events(test, 0);
	request_state(test, 0, CSG_TERMINATE);
	KUNIT_EXPECT_EQ(test, csg_ack(test, 0) & CSG_REQ_STATE, CSG_TERMINATE);
	KUNIT_EXPECT_EQ(test, take_job_irqs(c), BIT(0));
	expect_no_bugs(test);
}

/* What is in the ring counts once the doorbell rings; other doorbells don't */
static void mcu_test_doorbell(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	start_group(test, 0, 1, CSG_START);
	ack_csg_events(test, 0);
	put_store(test, DATA, 1);
	csf_reg_write(c->m, REG_DOORBELL(DOORBELL + 1), 1);
	let_run(test);
	KUNIT_EXPECT_EQ(test, c->data[0], 0);
	ring_user(test);
	KUNIT_EXPECT_EQ(test, c->data[0], 1);
	KUNIT_EXPECT_EQ(test, csg_events(test, 0), CSG_EV_IDLE);
	expect_no_bugs(test);
}

/* An event is not flipped back while the host hasn't seen it, and not lost */
static void mcu_test_event_once(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	put_sync(test);
	start_group(test, 0, 1, CSG_START);
	KUNIT_EXPECT_TRUE(test, csg_events(test, 0) & CSG_EV_SYNC_UPDATE);
	put_sync(test);
	ring_user(test);
	KUNIT_EXPECT_TRUE(test, csg_events(test, 0) & CSG_EV_SYNC_UPDATE);
	KUNIT_EXPECT_EQ(test, c->data[8], 2);
	take_job_irqs(c);
	/* acknowledged: the second one comes */
	ack_csg_events(test, 0);
	KUNIT_EXPECT_TRUE(test, csg_events(test, 0) & CSG_EV_SYNC_UPDATE);
	KUNIT_EXPECT_EQ(test, take_job_irqs(c), BIT(0));
	ack_csg_events(test, 0);
	KUNIT_EXPECT_EQ(test, csg_events(test, 0), 0);
}

/* STATUS_UPDATE of a blocked stream tells what it waits for */
static void mcu_test_status(struct kunit *test)
{
	struct ctx *c = test->priv;
	u64 out = FW_CS_OUT(0, 0);

	boot(test);
	put(test, csf_move48(2, DATA + 64));
	put(test, csf_move48(4, 5));
	put(test, csf_sync_wait64(CSF_COND_GT, 2, 4, 0));
	start_group(test, 0, 1, CSG_START);
	KUNIT_EXPECT_EQ(test, csg_events(test, 0), CSG_EV_IDLE);
	*fw(test, FW_CSG_IN(0) + CSG_REQ) ^= CSG_REQ_STATUS_UPDATE;
	ring_group(test, 0);
	KUNIT_EXPECT_TRUE(test, csg_ack(test, 0) & CSG_REQ_STATUS_UPDATE);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_CSG_OUT(0) + CSG_STATUS_STATE), CSG_STATE_IDLE);
	KUNIT_EXPECT_EQ(test, *fw(test, out + CS_STATUS_BLOCKED), CS_BLOCKED_SYNC);
	KUNIT_EXPECT_EQ(test, *(u64 *)fw(test, out + CS_STATUS_SYNC_PTR), DATA + 64);
	KUNIT_EXPECT_EQ(test, *fw(test, out + CS_STATUS_SYNC_VALUE), 5);
	KUNIT_EXPECT_EQ(test, *(u64 *)fw(test, out + CS_STATUS_CMD_PTR), RING + 16);
	KUNIT_EXPECT_EQ(test, *fw(test, out + CS_STATUS_WAIT) >> 24, 0xc1);
	/* and the CPU may end it */
	c->data[8] = 6;
	usleep_range(1500, 3000);
	let_run(test);
	KUNIT_EXPECT_EQ(test, *(u64 *)fw(test, RING_OUT + RING_EXTRACT), c->insert);
	expect_no_bugs(test);
}

/* Suspended in one slot and AS, resumed in others; registers survive */
static void mcu_test_suspend(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	put(test, csf_move32(10, 0x1234));
	start_group(test, 0, 1, CSG_START);
	ack_csg_events(test, 0);
	request_state(test, 0, CSG_SUSPEND);
	KUNIT_EXPECT_EQ(test, csg_ack(test, 0) & CSG_REQ_STATE, CSG_SUSPEND);

	put(test, csf_move48(2, DATA));
	put(test, csf_store_multiple(10, 2, 1, 0));
	ring_user(test);
	KUNIT_EXPECT_EQ(test, c->data[0], 0);
	start_group(test, 5, 2, CSG_RESUME);
	KUNIT_EXPECT_EQ(test, csg_ack(test, 5) & CSG_REQ_STATE, CSG_RESUME);
	KUNIT_EXPECT_EQ(test, c->data[0], 0x1234);
	expect_no_bugs(test);
}

/* A page of the suspend buffer changed, or was replaced by an older image */
static void mcu_test_suspend_corrupt(struct kunit *test)
{
	struct ctx *c = test->priv;
	u8 *buf;

	boot(test);
	start_group(test, 0, 1, CSG_START);
	request_state(test, 0, CSG_SUSPEND);
	buf = (u8 *)fw(test, SUSPEND_BUF);
	buf[0x200] ^= 1;
	start_group(test, 0, 1, CSG_RESUME);
	expect_bug(test, CSF_BUG_SUSPEND_BUF, 1);
	KUNIT_EXPECT_EQ(test, cs_events(test, 0), CS_EV_FATAL);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_CS_OUT(0, 0) + CS_FATAL), CS_EXC_FW_INTERNAL_ERROR);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_CSG_RESUME], 1);
}

static void mcu_test_suspend_old(struct kunit *test)
{
	u8 *old = csf_test_page(test);

	boot(test);
	start_group(test, 0, 1, CSG_START);
	request_state(test, 0, CSG_SUSPEND);
	memcpy(old, fw(test, SUSPEND_BUF), SZ_4K);
	start_group(test, 0, 1, CSG_RESUME);
	request_state(test, 0, CSG_SUSPEND);
	expect_no_bugs(test);
	memcpy(fw(test, SUSPEND_BUF), old, SZ_4K);
	start_group(test, 0, 1, CSG_RESUME);
	expect_bug(test, CSF_BUG_SUSPEND_BUF, 1);
}

static void mcu_test_suspend_lost(struct kunit *test)
{
	boot(test);
	start_group(test, 0, 1, CSG_START);
	request_state(test, 0, CSG_SUSPEND);
	memset(fw(test, SUSPEND_BUF), 0, SZ_4K);
	start_group(test, 0, 1, CSG_RESUME);
	expect_bug(test, CSF_BUG_SUSPEND_BUF, 1);
}

/* A fault stalls the stream; giving up the AS ends it; requests are served */
static void mcu_test_fault(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	put_store(test, DATA + SZ_4K, 1);
	start_group(test, 0, 1, CSG_START);
	KUNIT_EXPECT_EQ(test, csf_reg_read(c->m, REG_MMU_INT + REG_INT_RAWSTAT), BIT(1));
	KUNIT_EXPECT_EQ(test, cs_events(test, 0), 0);
	KUNIT_EXPECT_EQ(test, csg_events(test, 0), 0);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_FAULTS], 1);
	*fw(test, FW_CSG_IN(0) + CSG_REQ) ^= CSG_REQ_STATUS_UPDATE;
	ring_group(test, 0);
	KUNIT_EXPECT_TRUE(test, csg_ack(test, 0) & CSG_REQ_STATUS_UPDATE);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_CSG_OUT(0) + CSG_STATUS_STATE), 0);

	csf_test_as_enable(c->m, 1, 0, 0, AS_MODE_UNMAPPED);
	let_run(test);
	KUNIT_EXPECT_EQ(test, cs_events(test, 0), CS_EV_FATAL);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_CSG_OUT(0) + CSG_CS_IRQ_REQ), BIT(0));
	KUNIT_EXPECT_EQ(test, *fw(test, FW_CS_OUT(0, 0) + CS_FATAL), CSF_EXC_CS_BUS_FAULT);
	KUNIT_EXPECT_EQ(test, *(u64 *)fw(test, FW_CS_OUT(0, 0) + CS_FATAL_INFO), DATA + SZ_4K);
	request_state(test, 0, CSG_TERMINATE);
	KUNIT_EXPECT_EQ(test, csg_ack(test, 0) & CSG_REQ_STATE, CSG_TERMINATE);
	expect_no_bugs(test);
}

/* A stream that comes to a locked region goes on when it is unlocked */
static void mcu_test_locked(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	csf_test_as_write64(c->m, 1, AS_LOCKADDR_LO, DATA | 14);
	csf_reg_write(c->m, REG_AS(1, AS_COMMAND), AS_LOCK);
	put_store(test, DATA, 3);
	start_group(test, 0, 1, CSG_START);
	KUNIT_EXPECT_EQ(test, c->data[0], 0);
	KUNIT_EXPECT_EQ(test, csg_events(test, 0), 0);
	csf_reg_write(c->m, REG_AS(1, AS_COMMAND), AS_UNLOCK);
	let_run(test);
	KUNIT_EXPECT_EQ(test, c->data[0], 3);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_FAULTS], 0);
	expect_no_bugs(test);
}

/* An illegal instruction is fatal to its stream, once */
static void mcu_test_illegal(struct kunit *test)
{
	boot(test);
	put(test, CSF_INSTR(0xff, 0, 0, 0, 0));
	start_group(test, 0, 1, CSG_START);
	KUNIT_EXPECT_EQ(test, cs_events(test, 0), CS_EV_FATAL);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_CS_OUT(0, 0) + CS_FATAL), CSF_EXC_CS_INSTR_INVALID);
	*fw(test, FW_CS_IN(0, 0) + CS_REQ) ^= CS_EV_FATAL;
	ring_user(test);
	KUNIT_EXPECT_EQ(test, cs_events(test, 0), 0);
}

/* INSERT that no driver could have meant; the surplus of one job is in order */
static void mcu_test_bad_insert(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	start_group(test, 0, 1, CSG_START);
	c->insert = RING_SIZE + 128;
	fw_set64(test, RING_IN + RING_INSERT, c->insert);
	ring_user(test);
	expect_no_bugs(test);
	KUNIT_EXPECT_EQ(test, *(u64 *)fw(test, RING_OUT + RING_EXTRACT), c->insert);
	fw_set64(test, RING_IN + RING_INSERT, c->insert - 8);
	ring_user(test);
	expect_bug(test, CSF_BUG_RING, 1);
	KUNIT_EXPECT_EQ(test, *fw(test, FW_CS_OUT(0, 0) + CS_FATAL), CSF_EXC_CS_CONFIG_FAULT);
}

/* A group runs in an AS that is unmapped, or gets another page table */
static void mcu_test_wrong_as(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	put_store(test, DATA, 1);
	start_group(test, 0, 3, CSG_START);
	expect_bug(test, CSF_BUG_CSG_AS, 1);
	request_state(test, 0, CSG_TERMINATE);
	start_group(test, 0, 1, CSG_START);
	expect_bug(test, CSF_BUG_AS_RECYCLED, 0);
	csf_test_as_enable(c->m, 1, csf_test_pa(c->mcu_root), MEMATTR, TRANSCFG);
	expect_bug(test, CSF_BUG_AS_RECYCLED, 1);
}

/* The AS had a fault, which is why the driver has unmapped it */
static void mcu_test_faulty_as(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	put_store(test, DATA, 1);
	csf_mmu_fault(c->m, 1, DATA, CSF_FAULT_TRANSLATION + 3, CSF_ACCESS_READ);
	csf_test_as_enable(c->m, 1, 0, 0, AS_MODE_UNMAPPED);
	start_group(test, 0, 1, CSG_START);
	expect_bug(test, CSF_BUG_CSG_AS, 0);
	request_state(test, 0, CSG_TERMINATE);
	csf_test_as_enable(c->m, 1, csf_test_pa(c->root), MEMATTR, TRANSCFG);
	csf_test_as_enable(c->m, 1, 0, 0, AS_MODE_UNMAPPED);
	start_group(test, 0, 1, CSG_START);
	expect_bug(test, CSF_BUG_CSG_AS, 1);
}

/* Requests that make no sense: SUSPEND of nothing, START twice, HALT meanwhile */
static void mcu_test_bad_requests(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	request_state(test, 0, CSG_SUSPEND);
	KUNIT_EXPECT_EQ(test, csg_ack(test, 0) & CSG_REQ_STATE, 0);
	expect_bug(test, CSF_BUG_REQ_IGNORED, 1);
	start_group(test, 0, 1, CSG_START);
	start_group(test, 0, 1, CSG_RESUME);
	expect_bug(test, CSF_BUG_CSG_STATE, 1);
	*fw(test, FW_GLB_IN + GLB_REQ) |= GLB_REQ_HALT;
	csf_reg_write(c->m, REG_DOORBELL(0), 1);
	expect_bug(test, CSF_BUG_HALT_BUSY, 1);
}

/* Paused streams wait for steps, and the firmware serves requests meanwhile */
static void mcu_test_pause(struct kunit *test)
{
	struct ctx *c = test->priv;

	boot(test);
	c->m->knobs.pause = 1;
	put_store(test, DATA, 1);
	put_store(test, DATA, 2);
	start_group(test, 0, 1, CSG_START);
	KUNIT_EXPECT_EQ(test, csg_ack(test, 0) & CSG_REQ_STATE, CSG_START);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_INSTRUCTIONS], 0);
	c->m->knobs.steps = 3;
	let_run(test);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_INSTRUCTIONS], 3);
	KUNIT_EXPECT_EQ(test, c->data[0], 1);
	KUNIT_EXPECT_EQ(test, csg_events(test, 0), 0);
	c->m->knobs.pause = 0;
	let_run(test);
	KUNIT_EXPECT_EQ(test, c->data[0], 2);
}

static u64 run_slice(struct csf_model *m)
{
	u64 before = m->stat[CSF_STAT_INSTRUCTIONS];
	unsigned long flags = csf_lock(m);

	csf_stream_run(&m->csg[0].streams[0]);
	csf_unlock(m, flags);
	return m->stat[CSF_STAT_INSTRUCTIONS] - before;
}

/* A slice ends, after it got somewhere, when somebody waits for the lock */
static void mcu_test_gives_way(struct kunit *test)
{
	struct ctx *c = test->priv;
	unsigned int i;
	u64 done;

	boot(test);
	start_group(test, 0, 1, CSG_START);
	c->m->knobs.pause = 1;
	for (i = 0; i < 2 * CSF_SLICE; i++)
		put(test, csf_nop());
	ring_user(test);
	c->m->knobs.pause = 0;
	KUNIT_EXPECT_EQ(test, run_slice(c->m), CSF_SLICE);
	atomic_inc(&c->m->waiters);
	done = run_slice(c->m);
	KUNIT_EXPECT_GT(test, done, 0);
	KUNIT_EXPECT_LT(test, done, CSF_SLICE);
	atomic_dec(&c->m->waiters);
	let_run(test);
	KUNIT_EXPECT_EQ(test, c->m->stat[CSF_STAT_INSTRUCTIONS], 2 * CSF_SLICE);
}

static struct kunit_case mcu_test_cases[] = {
	KUNIT_CASE(mcu_test_boot),
	KUNIT_CASE(mcu_test_boot_unmapped),
	KUNIT_CASE(mcu_test_boot_slow_update),
	KUNIT_CASE(mcu_test_slow_boot),
	KUNIT_CASE(mcu_test_halt),
	KUNIT_CASE(mcu_test_global_requests),
	KUNIT_CASE(mcu_test_hang),
	KUNIT_CASE(mcu_test_as0_locked),
	KUNIT_CASE(mcu_test_group),
	KUNIT_CASE(mcu_test_doorbell),
	KUNIT_CASE(mcu_test_event_once),
	KUNIT_CASE(mcu_test_status),
	KUNIT_CASE(mcu_test_suspend),
	KUNIT_CASE(mcu_test_suspend_corrupt),
	KUNIT_CASE(mcu_test_suspend_old),
	KUNIT_CASE(mcu_test_suspend_lost),
	KUNIT_CASE(mcu_test_fault),
	KUNIT_CASE(mcu_test_locked),
	KUNIT_CASE(mcu_test_illegal),
	KUNIT_CASE(mcu_test_bad_insert),
	KUNIT_CASE(mcu_test_wrong_as),
	KUNIT_CASE(mcu_test_faulty_as),
	KUNIT_CASE(mcu_test_bad_requests),
	KUNIT_CASE(mcu_test_pause),
	KUNIT_CASE(mcu_test_gives_way),
	{}
};

static struct kunit_suite mcu_test_suite = {
	.name = "mali-csf-mcu",
	.init = mcu_test_init,
	.test_cases = mcu_test_cases,
};

kunit_test_suite(mcu_test_suite);
