// SPDX-License-Identifier: GPL-2.0
/*
 * Firmware of the software Mali CSF GPU, global part: boot, global interface,
 * doorbells, halt.
 *
 * All memory is reached through AS0, as the real microcontroller does: what
 * the driver maps wrongly there doesn't work here either.
 *
 * Requests are handled in the MCU's thread. HALT alone is served inside the
 * register trap, since some drivers busy-wait for it on the only CPU.
 */
#include <linux/export.h>
#include <linux/minmax.h>
#include <kunit/visibility.h>

#include "fw_iface.h"
#include "model.h"

#define MCU_CONTROL_DISABLE	0
#define MCU_CONTROL_ENABLE	1
#define MCU_CONTROL_AUTO	2

#define HALT_OK			0

/* So much of the firmware's code is checked at boot, in such pieces */
#define CODE_MAX_WORDS		8192
#define CODE_CHUNK_WORDS	32

/*
 * Memory access. After a failed access the firmware is dead: reads give 0, writes do
 * nothing, and the callers need not care.
 */

/**
 * csf_fw_access() - load or store through the firmware's address space
 * @m: GPU, locked
 * @va: MCU address
 * @buf: source or destination
 * @len: bytes
 * @access: kind of access
 */
void csf_fw_access(struct csf_model *m, u64 va, void *buf, size_t len,
		   enum csf_access access)
{
	int ret;

	if (m->mcu.status != MCU_ENABLED)
		return;
	ret = csf_mmu_access(m, 0, va, buf, len, access);
	if (!ret)
		return;
	csf_bug(m, CSF_BUG_MCU_FAULT, "firmware can't %s 0x%llx in AS0 (%d)",
		access == CSF_ACCESS_WRITE ? "write" : "read", va, ret);
	m->mcu.status = MCU_FATAL;
}

/**
 * csf_fw_read32() - load from the firmware's address space
 * @m: GPU, locked
 * @va: MCU address
 *
 * Return: the value, 0 after a fault.
 */
u32 csf_fw_read32(struct csf_model *m, u64 va)
{
	u32 val = 0;

	csf_fw_access(m, va, &val, sizeof(val), CSF_ACCESS_READ);
	return val;
}

/**
 * csf_fw_read64() - load from the firmware's address space
 * @m: GPU, locked
 * @va: MCU address
 *
 * Return: the value, 0 after a fault.
 */
u64 csf_fw_read64(struct csf_model *m, u64 va)
{
	u64 val = 0;

	csf_fw_access(m, va, &val, sizeof(val), CSF_ACCESS_READ);
	return val;
}

/**
 * csf_fw_write32() - store to the firmware's address space
 * @m: GPU, locked
 * @va: MCU address
 * @val: value
 */
void csf_fw_write32(struct csf_model *m, u64 va, u32 val)
{
	csf_fw_access(m, va, &val, sizeof(val), CSF_ACCESS_WRITE);
}

/**
 * csf_fw_write64() - store to the firmware's address space
 * @m: GPU, locked
 * @va: MCU address
 * @val: value
 */
void csf_fw_write64(struct csf_model *m, u64 va, u64 val)
{
	csf_fw_access(m, va, &val, sizeof(val), CSF_ACCESS_WRITE);
}

/**
 * csf_mcu_alive() - whether the firmware does anything
 * @m: GPU, locked
 *
 * Return: true if it runs and doesn't hang.
 */
bool csf_mcu_alive(struct csf_model *m)
{
	return m->mcu.status == MCU_ENABLED && !m->knobs.mcu_hang;
}

/*
 * Boot
 */

static void write_group_control(struct csf_model *m, unsigned int i)
{
	u64 va = FW_GROUP_CONTROL(i);
	unsigned int j;

	csf_fw_write32(m, va + GROUP_FEATURES, 0);
	csf_fw_write32(m, va + GROUP_INPUT_VA, FW_CSG_IN(i));
	csf_fw_write32(m, va + GROUP_OUTPUT_VA, FW_CSG_OUT(i));
	csf_fw_write32(m, va + GROUP_SUSPEND_SIZE, FW_SUSPEND_SIZE);
	csf_fw_write32(m, va + GROUP_PROTM_SUSPEND_SIZE, FW_SUSPEND_SIZE);
	csf_fw_write32(m, va + GROUP_STREAM_NUM, CSF_NUM_STREAMS);
	csf_fw_write32(m, va + GROUP_STREAM_STRIDE, FW_STREAM_STRIDE);
	for (j = 0; j < CSF_NUM_STREAMS; j++) {
		va = FW_STREAM_CONTROL(i, j);
		csf_fw_write32(m, va + STREAM_FEATURES, FW_STREAM_FEATURES);
		csf_fw_write32(m, va + STREAM_INPUT_VA, FW_CS_IN(i, j));
		csf_fw_write32(m, va + STREAM_OUTPUT_VA, FW_CS_OUT(i, j));
	}
}

static void write_control_blocks(struct csf_model *m)
{
	unsigned int i;

	csf_fw_write32(m, FW_SHARED + GLB_FEATURES, 0);
	csf_fw_write32(m, FW_SHARED + GLB_INPUT_VA, FW_GLB_IN);
	csf_fw_write32(m, FW_SHARED + GLB_OUTPUT_VA, FW_GLB_OUT);
	csf_fw_write32(m, FW_SHARED + GLB_GROUP_NUM, CSF_NUM_CSGS);
	csf_fw_write32(m, FW_SHARED + GLB_GROUP_STRIDE, FW_GROUP_STRIDE);
	csf_fw_write32(m, FW_SHARED + GLB_PERFCNT_SIZE, 0);
	csf_fw_write32(m, FW_SHARED + GLB_INSTR_FEATURES, FW_INSTR_FEATURES);
	for (i = 0; i < CSF_NUM_CSGS; i++)
		write_group_control(m, i);
	/* last: a version that isn't 0 says that the rest is valid */
	csf_fw_write32(m, FW_SHARED + GLB_VERSION, FW_VERSION);
}

static bool code_words_good(struct csf_model *m, const struct csf_fw_code *code)
{
	u64 va = CSF_FW_CODE_VA + sizeof(*code);
	u64 words = min_t(u64, code->words, CODE_MAX_WORDS), i;
	u64 buf[CODE_CHUNK_WORDS];

	for (i = 0; i < words; i++) {
		if (i % CODE_CHUNK_WORDS == 0)
			csf_fw_access(m, va + i * sizeof(u64), buf,
				      min_t(u64, words - i, CODE_CHUNK_WORDS) * sizeof(u64),
				      CSF_ACCESS_EXEC);
		if (buf[i % CODE_CHUNK_WORDS] != csf_pattern(code->seed, i))
			return false;
	}
	return true;
}

/* Like real firmware, doesn't get far unless the driver has loaded it properly */
static void check_code(struct csf_model *m)
{
	struct csf_fw_code code = {};

	/* the smallest image that drivers accept has none */
	if (!csf_mmu_mapped(m, 0, CSF_FW_CODE_VA, CSF_ACCESS_EXEC))
		return;
	csf_fw_access(m, CSF_FW_CODE_VA, &code, sizeof(code), CSF_ACCESS_EXEC);
	if (code.magic != CSF_FW_CODE_MAGIC || code_words_good(m, &code))
		return;
	csf_bug(m, CSF_BUG_FIRMWARE, "the firmware's code is not what the image has");
	m->mcu.status = MCU_FATAL;
}

/*
 * Input and output words stay as they are: after a clean halt the driver goes
 * on with the toggles that are in memory, otherwise it has cleared them.
 */
static void boot(struct csf_model *m)
{
	if (m->knobs.mcu_hang)
		return;
	m->mcu.boot = csf_mmu_blocked(m, 0) || ktime_before(ktime_get(), m->mcu.boot_time);
	if (m->mcu.boot)
		return;
	if (!csf_l2_ready(m)) {
		if (!m->knobs.refuse_power)
			csf_bug(m, CSF_BUG_POWER, "MCU started with L2 off");
		return;
	}
	m->stat[CSF_STAT_BOOTS]++;
	m->mcu.halt = false;
	m->mcu.status = MCU_ENABLED;
	check_code(m);
	write_control_blocks(m);
	if (csf_mcu_alive(m))
		csf_irq_raise(m, CSF_JOB, CSF_JOB_IRQ_GLOBAL);
}

/**
 * csf_mcu_reset() - stop at once, forget everything
 * @m: GPU, locked
 */
void csf_mcu_reset(struct csf_model *m)
{
	m->mcu = (struct csf_mcu){};
	csf_csg_reset(m);
}

/**
 * csf_mcu_control() - MCU_CONTROL was written
 * @m: GPU, locked
 * @val: value
 */
void csf_mcu_control(struct csf_model *m, u32 val)
{
	switch (val) {
	case MCU_CONTROL_DISABLE:
		csf_mcu_reset(m);
		break;
	case MCU_CONTROL_ENABLE:
	case MCU_CONTROL_AUTO:
		m->mcu.control = val;
		m->mcu.boot_time = ktime_add_us(ktime_get(), m->knobs.boot_latency_us);
		if (m->mcu.status == MCU_DISABLED || m->mcu.status == MCU_HALTED)
			boot(m);
		m->kick = true;
		break;
	default:
		csf_bug(m, CSF_BUG_MCU_CONTROL, "MCU_CONTROL %u", val);
	}
}

/*
 * Global interface
 */

/* Returns true if halted */
static bool check_halt(struct csf_model *m)
{
	bool halt;

	if (!csf_mcu_alive(m) || csf_mmu_blocked(m, 0))
		return false;
	halt = csf_fw_read32(m, FW_GLB_IN + GLB_REQ) & GLB_REQ_HALT;
	if (!halt || m->mcu.halt) {
		m->mcu.halt = halt;
		return false;
	}
	if (csf_csg_resident(m))
		csf_bug(m, CSF_BUG_HALT_BUSY, "HALT with groups 0x%x resident",
			csf_csg_resident(m));
	m->mcu.halt = true;
	csf_fw_write32(m, FW_GLB_OUT + GLB_HALT_STATUS, HALT_OK);
	csf_csg_reset(m);
	m->mcu.status = MCU_HALTED;
	return true;
}

static void global_requests(struct csf_model *m)
{
	u32 req = csf_fw_read32(m, FW_GLB_IN + GLB_REQ);
	u32 mask = csf_fw_read32(m, FW_GLB_IN + GLB_ACK_IRQ_MASK);
	u32 ack = csf_fw_read32(m, FW_GLB_OUT + GLB_ACK);
	u32 done = (req ^ ack) & (GLB_REQ_TOGGLES | GLB_REQ_LEVELS);
	u32 known = GLB_REQ_HALT | GLB_REQ_TOGGLES | GLB_REQ_LEVELS | GLB_REQ_EVENTS;

	if ((req ^ ack) & ~known)
		csf_bug(m, CSF_BUG_REQ_IGNORED, "GLB_REQ 0x%x, GLB_ACK 0x%x", req, ack);
	if (done & GLB_REQ_PING)
		m->stat[CSF_STAT_PINGS]++;
	if (!done)
		return;
	csf_fw_write32(m, FW_GLB_OUT + GLB_ACK, ack ^ done);
	if (done & mask)
		csf_irq_raise(m, CSF_JOB, CSF_JOB_IRQ_GLOBAL);
}

static void group_doorbells(struct csf_model *m)
{
	u32 req = csf_fw_read32(m, FW_GLB_IN + GLB_DOORBELL_REQ);
	u32 ack = csf_fw_read32(m, FW_GLB_OUT + GLB_DOORBELL_ACK);
	u32 rung = req ^ ack;
	unsigned int i;

	if (rung)
		csf_fw_write32(m, FW_GLB_OUT + GLB_DOORBELL_ACK, req);
	if (rung >> CSF_NUM_CSGS)
		csf_bug(m, CSF_BUG_REQ_IGNORED, "doorbell of groups 0x%x", rung);
	for (i = 0; i < CSF_NUM_CSGS; i++)
		if (rung & BIT(i))
			csf_csg_doorbell(m, i);
}

/**
 * csf_mcu_doorbell() - a doorbell register was written
 * @m: GPU, locked
 * @id: 0 global, otherwise a user doorbell
 */
void csf_mcu_doorbell(struct csf_model *m, unsigned int id)
{
	m->stat[id ? CSF_STAT_DOORBELLS_USER : CSF_STAT_DOORBELLS_GLOBAL]++;
	if (m->mcu.status != MCU_ENABLED)
		return;
	if (id) {
		m->mcu.doorbells |= BIT(id);
	} else {
		m->mcu.glb_doorbell = true;
		check_halt(m);
	}
	m->kick = true;
}

/**
 * csf_mcu_as0_command() - a command of AS0 has completed
 * @m: GPU, locked
 *
 * The firmware may have waited for that.
 */
void csf_mcu_as0_command(struct csf_model *m)
{
	if (m->mcu.boot)
		boot(m);
	if (m->mcu.glb_doorbell)
		check_halt(m);
	m->kick = true;
}

/**
 * csf_mcu_pass() - serve doorbells
 * @m: GPU, locked
 *
 * Context: the MCU's thread.
 * Return: true if the pass shall be repeated after a while without a reason.
 */
bool csf_mcu_pass(struct csf_model *m)
{
	u32 doorbells = m->mcu.doorbells;

	/* looks at an active command, whose completion may boot */
	if (csf_mmu_blocked(m, 0))
		return true;
	if (m->mcu.boot)
		boot(m);
	if (!csf_mcu_alive(m))
		return m->mcu.boot;

	m->mcu.doorbells = 0;
	if (m->mcu.glb_doorbell) {
		m->mcu.glb_doorbell = false;
		if (check_halt(m))
			return false;
		global_requests(m);
		group_doorbells(m);
	}
	csf_csg_user_doorbells(m, doorbells);
	return csf_csg_retry_events(m);
}
EXPORT_SYMBOL_IF_KUNIT(csf_mcu_pass);
