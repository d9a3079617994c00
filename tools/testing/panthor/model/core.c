// SPDX-License-Identifier: GPL-2.0
/*
 * Core of the software Mali CSF GPU: register file, reset, power domains,
 * clock, interrupts, time, and the threads in which everything else happens.
 *
 * Register offsets and reset behaviour are those of a Mali-G610 (RK3588), as
 * far as drivers can tell.
 */
#define pr_fmt(fmt) "mali_csf_model: " fmt

#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "model.h"

#define TIMESTAMP_HZ		24000000	/* system counter of an RK3588 */
#define DEFAULT_CLOCK_HZ	200000000

#define AS_BASE			0x2400
#define AS_STRIDE		0x40

#define GPU_CMD_TYPE(val)	((val) & 0xff)
#define GPU_CMD_NOP		0
#define GPU_CMD_RESET		1
#define GPU_CMD_FLUSH_CACHES	4
#define GPU_CMD_CLEAR_FAULT	7
#define GPU_RESET_SOFT		1
#define GPU_RESET_HARD		2

/* A line that is high although its handler ran so often is stuck */
#define IRQ_STUCK_COUNT		1000

const char * const csf_bug_names[CSF_NUM_BUGS] = {
	[CSF_BUG_REG_CLOCK_OFF] = "register_clock_off",
	[CSF_BUG_REG_SIZE] = "register_size",
	[CSF_BUG_REG_UNKNOWN] = "register_unknown",
	[CSF_BUG_REG_ACCESS] = "register_access",
	[CSF_BUG_GPU_CMD] = "gpu_command",
	[CSF_BUG_POWER] = "power",
	[CSF_BUG_IRQ_STUCK] = "irq_stuck",
	[CSF_BUG_AS_BUSY] = "as_busy",
	[CSF_BUG_AS_CMD] = "as_command",
	[CSF_BUG_AS_CONFIG] = "as_config",
	[CSF_BUG_AS_LOCK_LOST] = "as_lock_lost",
	[CSF_BUG_AS_RECYCLED] = "as_recycled",
	[CSF_BUG_NOT_RAM] = "not_ram",
	[CSF_BUG_TABLE_FREED] = "table_freed",
	[CSF_BUG_PAGE_FREED] = "page_freed",
	[CSF_BUG_STALE_TLB] = "stale_tlb",
	[CSF_BUG_MCU_FAULT] = "mcu_fault",
	[CSF_BUG_FIRMWARE] = "firmware",
	[CSF_BUG_MCU_CONTROL] = "mcu_control",
	[CSF_BUG_HALT_BUSY] = "halt_busy",
	[CSF_BUG_REQ_IGNORED] = "request_ignored",
	[CSF_BUG_CSG_STATE] = "csg_state",
	[CSF_BUG_CSG_AS] = "csg_as",
	[CSF_BUG_RING] = "ring",
	[CSF_BUG_SUSPEND_BUF] = "suspend_buf",
};

/* What all variants share, with the values of an RK3588's G610 */
#define G610_FEATURES				\
	.l2_features = 0x07120306,		\
	.core_features = 0,			\
	.tiler_features = 0x809,		\
	.mem_features = 0x301,			\
	.mmu_features = 0x2830,			\
	.as_present = 0xff,			\
	.csf_id = 0x040a0412,			\
	.thread_max_threads = 0x800,		\
	.thread_max_workgroup_size = 0x400,	\
	.thread_max_barrier_size = 0x400,	\
	.thread_features = 0x04010000,		\
	.texture_features = { 0xc1ffff9e }

/*
 * G610: all values read on an RK3588. The others differ from it by product and
 * shader cores only, enough to see how a driver treats the identification.
 */
static const struct csf_variant variants[] = {
	{
		.name = "g610",
		.arch = "arch10.8",
		.gpu_id = 0xa8670005,
		G610_FEATURES,
		.present = { 0x50005, 1, 1 },
	},
	{
		.name = "g710",
		.arch = "arch10.8",
		.gpu_id = 0xa8620000,
		G610_FEATURES,
		.present = { 0x770077, 1, 1 },
	},
	{
		.name = "g310",
		.arch = "arch10.12",
		.gpu_id = 0xac040000,
		G610_FEATURES,
		.present = { 0x1, 1, 1 },
	},
	{
		.name = "g720",
		.arch = "arch12.8",
		.gpu_id = 0xc8000000,
		G610_FEATURES,
		.present = { 0x770077, 1, 1 },
	},
};

/**
 * csf_variant_find() - look up a GPU
 * @name: name in the table
 *
 * Return: the variant or NULL.
 */
const struct csf_variant *csf_variant_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(variants); i++)
		if (!strcmp(variants[i].name, name))
			return &variants[i];
	pr_err("unknown variant '%s', use one of:\n", name);
	for (i = 0; i < ARRAY_SIZE(variants); i++)
		pr_err("  %s\n", variants[i].name);
	return NULL;
}
EXPORT_SYMBOL_IF_KUNIT(csf_variant_find);

/**
 * csf_bug() - report a driver bug
 * @m: GPU, locked
 * @bug: kind; each is printed once, and always counted
 * @fmt: details
 */
void csf_bug(struct csf_model *m, enum csf_bug bug, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	m->stat[CSF_STAT_WARNINGS]++;
	if (m->bugs[bug]++ || m->quiet)
		return;
	va_start(args, fmt);
	vaf.va = &args;
	pr_warn("DRIVER BUG: %s: %pV\n", csf_bug_names[bug], &vaf);
	va_end(args);
}

/**
 * csf_lock() - enter the model
 * @m: GPU
 *
 * Return: interrupt state for csf_unlock().
 */
unsigned long csf_lock(struct csf_model *m)
	__acquires(&m->lock)
{
	unsigned long flags;

	if (raw_spin_trylock_irqsave(&m->lock, flags))
		return flags;
	atomic_inc(&m->waiters);
	raw_spin_lock_irqsave(&m->lock, flags);
	atomic_dec(&m->waiters);
	return flags;
}
EXPORT_SYMBOL_IF_KUNIT(csf_lock);

/**
 * csf_lock_wanted() - whether somebody waits for the lock
 * @m: GPU, locked or not
 *
 * Return: true if who does something long had better let go, and stay away.
 */
bool csf_lock_wanted(const struct csf_model *m)
{
	return atomic_read(&m->waiters);
}

/**
 * csf_unlock() - leave the model
 * @m: GPU
 * @flags: from csf_lock()
 *
 * Wakes a thread of the model if there is something to do for it. That takes
 * locks of the scheduler, so it's done with ours released. Threads that were there
 * under the lock are freed after a grace period at the earliest.
 */
void csf_unlock(struct csf_model *m, unsigned long flags)
	__releases(&m->lock)
{
	struct task_struct *mcu = m->kick && m->mcu_thread != current ? m->mcu_thread : NULL;
	struct task_struct *cs = m->cs_kick && m->cs_thread != current ? m->cs_thread : NULL;

	rcu_read_lock();
	raw_spin_unlock_irqrestore(&m->lock, flags);
	if (mcu)
		wake_up_process(mcu);
	if (cs)
		wake_up_process(cs);
	rcu_read_unlock();
}
EXPORT_SYMBOL_IF_KUNIT(csf_unlock);

/*
 * Interrupts: level, line = RAWSTAT & MASK. Every write to the registers and
 * every event kicks the MCU's thread, which looks at the lines.
 */

/**
 * csf_irq_raise() - set pending bits
 * @m: GPU, locked
 * @block: interrupt block
 * @bits: to be set in RAWSTAT
 */
void csf_irq_raise(struct csf_model *m, enum csf_block block, u32 bits)
{
	m->irq[block].rawstat |= bits;
	m->irq[block].swallowed = false;
	m->kick = true;
}

/* Whether to call the handler; the lose_irq knob swallows one rising edge */
static bool irq_line_fires(struct csf_irq *irq)
{
	bool high = irq->rawstat & irq->mask;

	if (high && !irq->high && irq->lose) {
		irq->lose = false;
		irq->swallowed = true;
	}
	irq->high = high;
	if (!high) {
		irq->swallowed = false;
		irq->ignored = 0;
		irq->retry = 0;
	}
	return high && !irq->swallowed && ktime_compare(ktime_get(), irq->retry) >= 0;
}

/* Nobody lowers the line: real hardware would storm; come back later instead */
static void irq_check_stuck(struct csf_model *m, enum csf_block block)
{
	static const char * const names[] = { "JOB", "MMU", "GPU" };
	struct csf_irq *irq = &m->irq[block];

	if (!(irq->rawstat & irq->mask)) {
		irq->ignored = 0;
		return;
	}
	irq->retry = ktime_add_ns(ktime_get(), CSF_POLL_NS);
	if (++irq->ignored == IRQ_STUCK_COUNT)
		csf_bug(m, CSF_BUG_IRQ_STUCK, "%s interrupt 0x%x enabled but not handled",
			names[block], irq->rawstat & irq->mask);
}

/**
 * csf_irq_deliver() - call the handlers of lines that are high
 * @m: GPU, not locked
 *
 * Context: the MCU's thread.
 */
void csf_irq_deliver(struct csf_model *m)
{
	enum csf_block block;
	unsigned long flags;
	bool fires;

	for (block = 0; block < CSF_NUM_BLOCKS; block++) {
		flags = csf_lock(m);
		fires = irq_line_fires(&m->irq[block]);
		if (fires)
			m->stat[CSF_STAT_IRQS_JOB + block]++;
		csf_unlock(m, flags);
		if (!fires)
			continue;

		m->seam->raise_irq(m, block);
		flags = csf_lock(m);
		irq_check_stuck(m, block);
		csf_unlock(m, flags);
	}
}

static bool irq_wants_retry(const struct csf_model *m)
{
	enum csf_block block;

	for (block = 0; block < CSF_NUM_BLOCKS; block++)
		if (m->irq[block].ignored && !m->irq[block].swallowed)
			return true;
	return false;
}

/*
 * Time
 */

/**
 * csf_core_timestamp() - the GPU's view of the system counter
 * @m: GPU
 *
 * Return: ticks of 24 MHz, without TIMESTAMP_OFFSET.
 */
u64 csf_core_timestamp(struct csf_model *m)
{
	return mul_u64_u32_div(ktime_get_ns(), TIMESTAMP_HZ, NSEC_PER_SEC);
}

/**
 * csf_core_cycles() - the cycle counter
 * @m: GPU
 *
 * Return: cycles of the core clock's present rate since boot; it jumps when
 * the rate changes.
 */
u64 csf_core_cycles(struct csf_model *m)
{
	return mul_u64_u32_div(ktime_get_ns(), m->clock_hz / 1000, NSEC_PER_MSEC);
}

/*
 * Reset and power
 */

static void set_flush_id(struct csf_model *m, u32 id)
{
	m->flush_id = id;
	if (m->flush_page)
		WRITE_ONCE(*m->flush_page, id);
}

/**
 * csf_core_flushed() - a cache flush has completed
 * @m: GPU, locked
 */
void csf_core_flushed(struct csf_model *m)
{
	set_flush_id(m, m->flush_id + 1);
}

/* What a soft reset and the loss of power have in common */
static void reset_blocks(struct csf_model *m)
{
	csf_mcu_reset(m);
	csf_mmu_reset(m);
	memset(m->ready, 0, sizeof(m->ready));
	m->l2_off_asked = false;
	m->irq[CSF_JOB].rawstat = 0;
	m->irq[CSF_JOB].mask = 0;
	m->irq[CSF_MMU].rawstat = 0;
	m->irq[CSF_MMU].mask = 0;
	memset(m->reg, 0, sizeof(m->reg));
	m->kick = true;
}

/* The GPU block keeps its mask: it has to announce the end of the reset */
static void gpu_reset(struct csf_model *m)
{
	m->stat[CSF_STAT_RESETS]++;
	reset_blocks(m);
	if (m->knobs.mcu_hang == 1)
		m->knobs.mcu_hang = 0;
	csf_irq_raise(m, CSF_GPU, CSF_GPU_IRQ_RESET_COMPLETED);
}

static void power_loss(struct csf_model *m)
{
	reset_blocks(m);
	m->irq[CSF_GPU].rawstat = 0;
	m->irq[CSF_GPU].mask = 0;
}

/**
 * csf_core_clock() - the core clock was turned on or off
 * @m: GPU, not locked
 * @on: new state
 *
 * A board turns the power domain off together with the clock, so register
 * contents are lost as well, unless the retention knob says otherwise.
 *
 * Context: any, interrupts may be off.
 */
void csf_core_clock(struct csf_model *m, bool on)
{
	unsigned long flags = csf_lock(m);

	if (on) {
		m->stat[CSF_STAT_CLOCK_ON]++;
	} else {
		if (m->mcu.status == MCU_ENABLED)
			csf_bug(m, CSF_BUG_POWER, "clock turned off with the MCU running");
		if (csf_l2_ready(m))
			csf_bug(m, CSF_BUG_POWER, "clock turned off with L2 powered");
		if (!m->knobs.retention)
			power_loss(m);
	}
	m->clock_on = on;
	csf_unlock(m, flags);
}

static void cores_changed(struct csf_model *m)
{
	csf_irq_raise(m, CSF_GPU, CSF_GPU_IRQ_POWER_CHANGED | CSF_GPU_IRQ_POWER_CHANGED_ALL);
}

static void power_up(struct csf_model *m, unsigned int domain, u64 cores)
{
	if (m->knobs.refuse_power)
		return;
	m->ready[domain] |= cores & m->variant->present[domain];
	if (domain == CSF_DOMAIN_L2)
		m->l2_off_asked = false;
	cores_changed(m);
}

static void power_down(struct csf_model *m, unsigned int domain, u64 cores)
{
	bool had_l2 = csf_l2_ready(m);

	m->ready[domain] &= ~cores;
	cores_changed(m);
	if (!had_l2 || csf_l2_ready(m))
		return;
	if (m->mcu.status == MCU_ENABLED)
		csf_bug(m, CSF_BUG_POWER, "L2 turned off with the MCU running");
	m->l2_off_asked = true;
	csf_mmu_drop_tlbs(m);
}

static void gpu_command(struct csf_model *m, u32 val)
{
	u32 payload = val >> 8;

	switch (GPU_CMD_TYPE(val)) {
	case GPU_CMD_NOP:
		return;
	case GPU_CMD_RESET:
		if (payload != GPU_RESET_SOFT && payload != GPU_RESET_HARD)
			break;
		if (!m->knobs.reset_hang)
			gpu_reset(m);
		return;
	case GPU_CMD_FLUSH_CACHES:
		m->stat[CSF_STAT_GPU_FLUSHES]++;
		if (csf_countdown(&m->knobs.flush_hang_nth))
			return;
		csf_core_flushed(m);
		csf_irq_raise(m, CSF_GPU, CSF_GPU_IRQ_CLEAN_CACHES);
		return;
	case GPU_CMD_CLEAR_FAULT:
		return;
	}
	csf_bug(m, CSF_BUG_GPU_CMD, "unknown GPU_CMD 0x%x", val);
}

/*
 * Register file
 */

/**
 * struct csf_reg - a register, or several at a regular distance
 * @offset: of the first one
 * @count: number of them; 0 means 1
 * @stride: distance in bytes
 * @arg: for the handlers
 * @access: what the driver may do
 * @read: handler; without one, what was written last is read
 * @write: handler; without one, the value is stored until the next reset
 *
 * Stored registers are 0 after reset.
 */
struct csf_reg {
	u32 offset;
	u16 count;
	u32 stride;
	u32 arg;
	enum { RO = 1, WO, RW } access;
	u32 (*read)(struct csf_model *m, const struct csf_reg *reg, unsigned int n);
	void (*write)(struct csf_model *m, const struct csf_reg *reg, unsigned int n, u32 val);
};

static u32 word_of(u64 val, bool high)
{
	return high ? upper_32_bits(val) : lower_32_bits(val);
}

static u32 read_variant(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return *(const u32 *)((const u8 *)m->variant + reg->arg);
}

static u32 read_coherency(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return m->coherent;	/* bit 0: ACE-Lite */
}

static u32 read_rawstat(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return m->irq[reg->arg].rawstat;
}

static void write_rawstat(struct csf_model *m, const struct csf_reg *reg, unsigned int n, u32 val)
{
	csf_irq_raise(m, reg->arg, val);
}

static void write_int_clear(struct csf_model *m, const struct csf_reg *reg, unsigned int n, u32 val)
{
	if (reg->arg == CSF_GPU && m->irq[CSF_GPU].rawstat & val)
		m->ack_us = m->knobs.ack_latency_us;
	m->irq[reg->arg].rawstat &= ~val;
	if (reg->arg == CSF_MMU)
		csf_mmu_int_cleared(m, val);
	m->kick = true;
}

static u32 read_int_mask(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return m->irq[reg->arg].mask;
}

static void write_int_mask(struct csf_model *m, const struct csf_reg *reg, unsigned int n, u32 val)
{
	/* command completion (MMU bits 31:16) isn't implemented, nor are absent ASs */
	if (reg->arg == CSF_MMU)
		val &= m->variant->as_present;
	m->irq[reg->arg].mask = val;
	m->kick = true;
}

static u32 read_int_stat(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return m->irq[reg->arg].rawstat & m->irq[reg->arg].mask;
}

static void write_gpu_cmd(struct csf_model *m, const struct csf_reg *reg, unsigned int n, u32 val)
{
	gpu_command(m, val);
}

static u32 read_gpu_status(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return (csf_csg_busy(m) ? BIT(0) : 0) | (csf_l2_ready(m) ? BIT(1) : 0);
}

static u32 read_cycles(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return word_of(csf_core_cycles(m), reg->arg);
}

static u32 read_timestamp(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return word_of(csf_core_timestamp(m), reg->arg);
}

static u32 read_present(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return word_of(m->variant->present[n], reg->arg);
}

static u32 read_ready(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return word_of(m->ready[n], reg->arg);
}

static u32 read_zero(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return 0;
}

static void write_pwron(struct csf_model *m, const struct csf_reg *reg, unsigned int n, u32 val)
{
	power_up(m, n, reg->arg ? (u64)val << 32 : val);
}

static void write_pwroff(struct csf_model *m, const struct csf_reg *reg, unsigned int n, u32 val)
{
	power_down(m, n, reg->arg ? (u64)val << 32 : val);
}

static u32 read_mcu_control(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return m->mcu.control;
}

static void write_mcu_control(struct csf_model *m, const struct csf_reg *reg, unsigned int n,
			      u32 val)
{
	csf_mcu_control(m, val);
}

static u32 read_mcu_status(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return m->mcu.status;
}

static enum csf_as_reg as_reg(const struct csf_reg *reg)
{
	return (reg->offset - AS_BASE) / 4;
}

static u32 read_as(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return csf_mmu_reg_read(m, n, as_reg(reg));
}

static void write_as(struct csf_model *m, const struct csf_reg *reg, unsigned int n, u32 val)
{
	csf_mmu_reg_write(m, n, as_reg(reg), val);
}

static u32 read_flush_id(struct csf_model *m, const struct csf_reg *reg, unsigned int n)
{
	return m->flush_id;
}

static void write_doorbell(struct csf_model *m, const struct csf_reg *reg, unsigned int n, u32 val)
{
	csf_mcu_doorbell(m, n);
}

#define REG_ID(_offset, _field)						\
	{ .offset = (_offset), .access = RO, .read = read_variant,	\
	  .arg = offsetof(struct csf_variant, _field) }

#define REG_STORED(_offset, _access)					\
	{ .offset = (_offset), .access = (_access) }

#define REG(_offset, _access, _arg, _read, _write)			\
	{ .offset = (_offset), .access = (_access), .arg = (_arg),	\
	  .read = (_read), .write = (_write) }

/* A word of a 64-bit register, for shader, tiler and L2: 0 low, 1 high */
#define REG_CORES(_offset, _access, _word, _read, _write)		\
	{ .offset = (_offset), .count = CSF_NUM_DOMAINS, .stride = 0x10,	\
	  .access = (_access), .arg = (_word),				\
	  .read = (_read), .write = (_write) }

#define REG_AS(_reg, _access)						\
	{ .offset = AS_BASE + (_reg) * 4, .count = CSF_MAX_AS,		\
	  .stride = AS_STRIDE, .access = (_access),			\
	  .read = read_as, .write = write_as }

static const struct csf_reg regs[] = {
	REG_ID(0x000, gpu_id),
	REG_ID(0x004, l2_features),
	REG_ID(0x008, core_features),
	REG_ID(0x00c, tiler_features),
	REG_ID(0x010, mem_features),
	REG_ID(0x014, mmu_features),
	REG_ID(0x018, as_present),
	REG_ID(0x01c, csf_id),
	REG(0x020, RW, CSF_GPU, read_rawstat, write_rawstat),
	REG(0x024, WO, CSF_GPU, NULL, write_int_clear),
	REG(0x028, RW, CSF_GPU, read_int_mask, write_int_mask),
	REG(0x02c, RO, CSF_GPU, read_int_stat, NULL),
	REG(0x030, WO, 0, NULL, write_gpu_cmd),
	REG(0x034, RO, 0, read_gpu_status, NULL),
	REG_STORED(0x03c, RO),			/* GPU_FAULT_STATUS */
	REG_STORED(0x040, RO),			/* GPU_FAULT_ADDR */
	REG_STORED(0x044, RO),
	REG_STORED(0x048, RW),			/* L2_CONFIG */
	REG_STORED(0x050, RW),			/* PWR_KEY */
	REG_STORED(0x054, RW),			/* PWR_OVERRIDE0 */
	REG_STORED(0x058, RW),			/* PWR_OVERRIDE1 */
	REG_STORED(0x060, RO),			/* GPU_FEATURES */
	REG_STORED(0x064, RO),
	REG_STORED(0x088, RW),			/* TIMESTAMP_OFFSET */
	REG_STORED(0x08c, RW),
	REG(0x090, RO, 0, read_cycles, NULL),
	REG(0x094, RO, 1, read_cycles, NULL),
	REG(0x098, RO, 0, read_timestamp, NULL),
	REG(0x09c, RO, 1, read_timestamp, NULL),
	REG_ID(0x0a0, thread_max_threads),
	REG_ID(0x0a4, thread_max_workgroup_size),
	REG_ID(0x0a8, thread_max_barrier_size),
	REG_ID(0x0ac, thread_features),
	REG_ID(0x0b0, texture_features[0]),
	REG_ID(0x0b4, texture_features[1]),
	REG_ID(0x0b8, texture_features[2]),
	REG_ID(0x0bc, texture_features[3]),
	REG_CORES(0x100, RO, 0, read_present, NULL),
	REG_CORES(0x104, RO, 1, read_present, NULL),
	REG_CORES(0x140, RO, 0, read_ready, NULL),
	REG_CORES(0x144, RO, 1, read_ready, NULL),
	REG_CORES(0x180, WO, 0, NULL, write_pwron),
	REG_CORES(0x184, WO, 1, NULL, write_pwron),
	REG_CORES(0x1c0, WO, 0, NULL, write_pwroff),
	REG_CORES(0x1c4, WO, 1, NULL, write_pwroff),
	REG_CORES(0x200, RO, 0, read_zero, NULL),	/* PWRTRANS: takes no time */
	REG_CORES(0x204, RO, 1, read_zero, NULL),
	REG_CORES(0x240, RO, 0, read_ready, NULL),	/* PWRACTIVE */
	REG_CORES(0x244, RO, 1, read_ready, NULL),
	REG_ID(0x280, revidr),
	REG(0x300, RO, 0, read_coherency, NULL),
	REG_STORED(0x304, RW),			/* COHERENCY_PROTOCOL */
	REG(0x700, RW, 0, read_mcu_control, write_mcu_control),
	REG(0x704, RO, 0, read_mcu_status, NULL),
	REG(0x1000, RW, CSF_JOB, read_rawstat, write_rawstat),
	REG(0x1004, WO, CSF_JOB, NULL, write_int_clear),
	REG(0x1008, RW, CSF_JOB, read_int_mask, write_int_mask),
	REG(0x100c, RO, CSF_JOB, read_int_stat, NULL),
	REG(0x2000, RW, CSF_MMU, read_rawstat, write_rawstat),
	REG(0x2004, WO, CSF_MMU, NULL, write_int_clear),
	REG(0x2008, RW, CSF_MMU, read_int_mask, write_int_mask),
	REG(0x200c, RO, CSF_MMU, read_int_stat, NULL),
	REG_AS(AS_TRANSTAB_LO, RW),
	REG_AS(AS_TRANSTAB_LO + 1, RW),
	REG_AS(AS_MEMATTR_LO, RW),
	REG_AS(AS_MEMATTR_LO + 1, RW),
	REG_AS(AS_LOCKADDR_LO, RW),
	REG_AS(AS_LOCKADDR_LO + 1, RW),
	REG_AS(AS_COMMAND, WO),
	REG_AS(AS_FAULTSTATUS, RO),
	REG_AS(AS_FAULTADDRESS_LO, RO),
	REG_AS(AS_FAULTADDRESS_LO + 1, RO),
	REG_AS(AS_STATUS, RO),
	REG_AS(AS_TRANSCFG_LO, RW),
	REG_AS(AS_TRANSCFG_LO + 1, RW),
	REG_AS(AS_FAULTEXTRA_LO, RO),
	REG_AS(AS_FAULTEXTRA_LO + 1, RO),
	REG(CSF_FLUSH_ID_OFFSET, RO, 0, read_flush_id, NULL),
	{ .offset = 0x80000, .count = (CSF_REGION_SIZE - 0x80000) / 0x10000, .stride = 0x10000,
	  .access = WO, .write = write_doorbell },
};

static_assert(ARRAY_SIZE(regs) <= CSF_NUM_REG_ROWS);

static const struct csf_reg *find_reg(u32 offset, unsigned int *n)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		const struct csf_reg *reg = &regs[i];
		u32 count = reg->count ?: 1, stride = reg->stride ?: 4;

		if (offset < reg->offset || offset >= reg->offset + count * stride)
			continue;
		if ((offset - reg->offset) % stride)
			continue;
		*n = (offset - reg->offset) / stride;
		return reg;
	}
	return NULL;
}

/* Checks that apply to any access; NULL if the register doesn't answer */
static const struct csf_reg *reg_access(struct csf_model *m, u32 offset, bool write,
					unsigned int *n)
{
	const char *verb = write ? "write to" : "read of";
	const struct csf_reg *reg;

	m->stat[write ? CSF_STAT_REG_WRITES : CSF_STAT_REG_READS]++;
	if (!m->clock_on) {
		csf_bug(m, CSF_BUG_REG_CLOCK_OFF, "%s register 0x%x with the clock off",
			verb, offset);
		return NULL;
	}
	reg = find_reg(offset, n);
	if (!reg) {
		csf_bug(m, CSF_BUG_REG_UNKNOWN, "%s unknown register 0x%x", verb, offset);
		return NULL;
	}
	if (reg->access == (write ? RO : WO)) {
		csf_bug(m, CSF_BUG_REG_ACCESS, "%s %s register 0x%x", verb,
			write ? "read-only" : "write-only", offset);
		return NULL;
	}
	return reg;
}

/**
 * csf_reg_read() - trap of a 32-bit register read
 * @m: GPU, not locked
 * @offset: of the register
 *
 * Context: any.
 * Return: its value, 0 if nothing answers.
 */
u32 csf_reg_read(struct csf_model *m, u32 offset)
{
	unsigned long flags = csf_lock(m);
	const struct csf_reg *reg;
	unsigned int n;
	u32 val = 0;

	reg = reg_access(m, offset, false, &n);
	if (reg)
		val = reg->read ? reg->read(m, reg, n) : m->reg[reg - regs];
	if (m->seam)
		m->seam->answer(m, offset, val);
	csf_unlock(m, flags);
	return val;
}
EXPORT_SYMBOL_IF_KUNIT(csf_reg_read);

/* Others go on meanwhile, if that's possible where the access comes from */
static void ack_latency(u32 us)
{
	if (us && preemptible())
		fsleep(us);
	else if (us)
		mdelay(DIV_ROUND_UP(us, USEC_PER_MSEC));
}

/**
 * csf_reg_write() - trap of a 32-bit register write
 * @m: GPU, not locked
 * @offset: of the register
 * @val: value
 *
 * Context: any.
 */
void csf_reg_write(struct csf_model *m, u32 offset, u32 val)
{
	unsigned long flags = csf_lock(m);
	const struct csf_reg *reg;
	unsigned int n;
	u32 ack_us;

	reg = reg_access(m, offset, true, &n);
	if (reg && reg->write)
		reg->write(m, reg, n, val);
	else if (reg)
		m->reg[reg - regs] = val;
	ack_us = m->ack_us;
	m->ack_us = 0;
	csf_unlock(m, flags);
	ack_latency(ack_us);
}
EXPORT_SYMBOL_IF_KUNIT(csf_reg_write);

/**
 * csf_trap_done() - account for a register access
 * @m: GPU, not locked
 * @start: when it began
 *
 * Context: any.
 */
void csf_trap_done(struct csf_model *m, ktime_t start)
{
	int us = min_t(s64, ktime_us_delta(ktime_get(), start), INT_MAX);
	int max = atomic_read(&m->traps.max_us);

	atomic_inc(&m->traps.count);
	if (us > CSF_TRAP_SLOW_US)
		atomic_inc(&m->traps.slow);
	while (us > max && !atomic_try_cmpxchg(&m->traps.max_us, &max, us))
		;
}

/**
 * csf_reg_bad_size() - trap of an access that the bus doesn't support
 * @m: GPU, not locked
 * @offset: of the register
 * @size: bytes
 *
 * Context: any.
 */
void csf_reg_bad_size(struct csf_model *m, u32 offset, int size)
{
	unsigned long flags = csf_lock(m);

	csf_bug(m, CSF_BUG_REG_SIZE, "%d byte access to register 0x%x", size, offset);
	csf_unlock(m, flags);
}

/*
 * Threads: one is the firmware and the interrupt lines, the other executes
 * command streams. On hardware neither competes with the CPU. The first has
 * deadlines that drivers set (100 ms) and little to do, so it's a real-time
 * thread; the second may be busy for long and has to share the CPU.
 */

static void sleep_until_kicked(struct csf_model *m, const bool *kick, s64 delay)
{
	ktime_t timeout = ns_to_ktime(delay);
	unsigned long flags;
	bool kicked;

	set_current_state(TASK_IDLE);
	flags = csf_lock(m);
	kicked = *kick;
	csf_unlock(m, flags);
	if (!kicked && !kthread_should_stop())
		schedule_hrtimeout(delay < 0 ? NULL : &timeout, HRTIMER_MODE_REL);
	__set_current_state(TASK_RUNNING);
}

/* Serve whatever is pending; nanoseconds until to look again, < 0 = when kicked */
static s64 mcu_round(struct csf_model *m)
{
	unsigned long flags = csf_lock(m);
	bool poll;
	s64 delay;

	m->kick = false;
	poll = csf_mcu_pass(m);
	delay = csf_csg_next_run(m);
	if (!delay) {
		m->cs_kick = true;
		delay = -1;
	}
	csf_unlock(m, flags);

	csf_irq_deliver(m);
	flags = csf_lock(m);
	poll |= irq_wants_retry(m);
	csf_unlock(m, flags);
	return poll ? CSF_POLL_NS : delay;
}

static int mcu_thread(void *data)
{
	struct csf_model *m = data;

	while (!kthread_should_stop())
		sleep_until_kicked(m, &m->kick, mcu_round(m));
	return 0;
}

static int cs_thread(void *data)
{
	struct csf_model *m = data;
	unsigned long flags;

	while (!kthread_should_stop()) {
		if (csf_csg_run(m)) {
			cond_resched();
			continue;
		}
		/* the other thread watches what is blocked */
		flags = csf_lock(m);
		m->kick = true;
		csf_unlock(m, flags);
		sleep_until_kicked(m, &m->cs_kick, -1);
	}
	return 0;
}

static struct task_struct *run_thread(struct csf_model *m, int (*fn)(void *), const char *name)
{
	struct task_struct *thread = kthread_run(fn, m, "%s", name);

	return IS_ERR(thread) ? NULL : thread;
}

/**
 * csf_model_start() - start the threads
 * @m: GPU whose seam is set
 *
 * Return: 0 or -ENOMEM.
 */
int csf_model_start(struct csf_model *m)
{
	m->cs_thread = run_thread(m, cs_thread, "mali_csf_cs");
	m->mcu_thread = run_thread(m, mcu_thread, "mali_csf_mcu");
	if (!m->cs_thread || !m->mcu_thread) {
		csf_model_stop(m);
		return -ENOMEM;
	}
	sched_set_fifo_low(m->mcu_thread);
	return 0;
}

/* Nobody may try to wake it any more */
static void stop_thread(struct csf_model *m, struct task_struct **thread)
{
	unsigned long flags = csf_lock(m);
	struct task_struct *old = *thread;

	*thread = NULL;
	csf_unlock(m, flags);
	if (old)
		kthread_stop(old);
}

/**
 * csf_model_stop() - stop the threads
 * @m: GPU
 */
void csf_model_stop(struct csf_model *m)
{
	stop_thread(m, &m->cs_thread);
	stop_thread(m, &m->mcu_thread);
}

/**
 * csf_model_create() - make a GPU
 * @variant: which
 * @coherent: what COHERENCY_FEATURES tells
 * @tlb_entries: size of each TLB
 *
 * It has no clock, no threads and no seam yet.
 *
 * Return: the GPU or NULL if there is not enough memory.
 */
struct csf_model *csf_model_create(const struct csf_variant *variant, bool coherent,
				   unsigned int tlb_entries)
{
	struct csf_model *m = kvzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	raw_spin_lock_init(&m->lock);
	m->variant = variant;
	m->coherent = coherent;
	m->clock_hz = DEFAULT_CLOCK_HZ;
	csf_csg_init(m);
	if (csf_mmu_alloc(m, tlb_entries)) {
		kvfree(m);
		return NULL;
	}
	power_loss(m);
	return m;
}
EXPORT_SYMBOL_IF_KUNIT(csf_model_create);

/**
 * csf_model_destroy() - undo csf_model_create()
 * @m: GPU, stopped; or NULL
 */
void csf_model_destroy(struct csf_model *m)
{
	if (!m)
		return;
	csf_mmu_free(m);
	kvfree(m);
}
EXPORT_SYMBOL_IF_KUNIT(csf_model_destroy);

static int __init mali_csf_model_init(void)
{
	return csf_seam_register();
}
module_init(mali_csf_model_init);

static void __exit mali_csf_model_exit(void)
{
	csf_seam_unregister();
}
module_exit(mali_csf_model_exit);

MODULE_DESCRIPTION("Software model of a Mali CSF GPU");
MODULE_LICENSE("GPL");
