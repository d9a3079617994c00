// SPDX-License-Identifier: GPL-2.0
/*
 * Knobs and counters of the software Mali CSF GPU, in debugfs below
 * mali_csf_model/.
 *
 * Numbers, read and write; too large ones are refused with -ERANGE:
 *   pause           1: command streams don't execute, requests are still served
 *   step            so many instructions execute in spite of that; counts down
 *   tlb_entries     per address space, 0 = no TLB; setting it empties the TLBs
 *   as_latency_us   an AS command is active for so long
 *   as_late_us      the next AS command is; goes back to 0 then
 *   as_hang_nth     the n-th AS command from now is active until GPU reset; 0 =
 *                   none; counts down
 *   as_drop_nth     the n-th AS command from now has no effect (but does release
 *                   its lock); counts down
 *   flush_hang_nth  the n-th cache flush (GPU_CMD) from now doesn't end; counts down
 *   boot_latency_us the firmware boots for so long
 *   mcu_hang        1: firmware and streams stand still until GPU reset, 2: also
 *                   after it
 *   refuse_power    1: L2 and cores can't be turned on
 *   reset_hang      1: a GPU reset never happens
 *   retention       1: registers keep their contents while the clock is off
 *   tiler_oom_auto  1: RUN_TILING and RUN_IDVS ask for a heap chunk if HEAP_SET
 *                   has been executed, and wait for it
 *   ack_latency_us  clearing an interrupt of the GPU block takes so long: it's no
 *                   longer pending, and who clears it doesn't go on
 *
 * Commands, write only; -ENODEV: no such stream is resident at present:
 *   inject_fault      "<as> <va hex> read|write|exec": translation fault, level 3
 *   fatal             "<csg> <cs> <code hex>": CS_FATAL
 *   tiler_oom         "<csg> <cs>": tiler OOM event; the answer is counted
 *   progress_timeout  "<csg>": progress timer event
 *   lose_irq          "job|mmu|gpu": the next rising edge of that line is not
 *                     delivered; the next event of the block raises it again
 *
 * Reports:
 *   counters/    one number per file. trap_count, trap_slow (longer than 10 ms)
 *                and trap_max_us are about register accesses, on kernels where they
 *                are traced: if more than one in a thousand is slow, the host is too
 *                slow for what drivers expect of hardware
 *   warning_log  driver bugs by kind; writing anything clears it, and
 *                counters/warnings, so that each kind is printed again
 *   tlb_audit    TLB entries that disagree with the page tables now. There may
 *                be none while no operation of the driver is under way
 *   state        what is where
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "model.h"

static const char * const stat_names[CSF_NUM_STATS] = {
	[CSF_STAT_AS_NOP] = "as_nop",
	[CSF_STAT_AS_UPDATE] = "as_update",
	[CSF_STAT_AS_LOCK] = "as_lock",
	[CSF_STAT_AS_UNLOCK] = "as_unlock",
	[CSF_STAT_AS_FLUSH_PT] = "as_flush_pt",
	[CSF_STAT_AS_FLUSH_MEM] = "as_flush_mem",
	[CSF_STAT_TLB_HITS] = "tlb_hits",
	[CSF_STAT_TLB_MISSES] = "tlb_misses",
	[CSF_STAT_WALKS] = "walks",
	[CSF_STAT_STALE_HITS] = "stale_hits",
	[CSF_STAT_FAULTS] = "faults",
	[CSF_STAT_BYTES_READ] = "bytes_read",
	[CSF_STAT_BYTES_WRITTEN] = "bytes_written",
	[CSF_STAT_INSTRUCTIONS] = "instructions",
	[CSF_STAT_JOBS] = "jobs",
	[CSF_STAT_DOORBELLS_GLOBAL] = "doorbells_global",
	[CSF_STAT_DOORBELLS_USER] = "doorbells_user",
	[CSF_STAT_IRQS_JOB] = "irqs_job",
	[CSF_STAT_IRQS_MMU] = "irqs_mmu",
	[CSF_STAT_IRQS_GPU] = "irqs_gpu",
	[CSF_STAT_REG_READS] = "reg_reads",
	[CSF_STAT_REG_WRITES] = "reg_writes",
	[CSF_STAT_AS_LOCK_NS] = "as_lock_ns",
	[CSF_STAT_RESETS] = "resets",
	[CSF_STAT_BOOTS] = "boots",
	[CSF_STAT_GPU_FLUSHES] = "gpu_flushes",
	[CSF_STAT_CSG_START] = "csg_start",
	[CSF_STAT_CSG_SUSPEND] = "csg_suspend",
	[CSF_STAT_CSG_RESUME] = "csg_resume",
	[CSF_STAT_CSG_TERMINATE] = "csg_terminate",
	[CSF_STAT_WARNINGS] = "warnings",
	[CSF_STAT_AS_L2_OFF] = "as_l2_off",
	[CSF_STAT_PINGS] = "pings",
	[CSF_STAT_CLOCK_ON] = "clock_on",
	[CSF_STAT_TILER_OOM_GRANTED] = "tiler_oom_granted",
	[CSF_STAT_TILER_OOM_REFUSED] = "tiler_oom_refused",
	[CSF_STAT_LOCK_MAX_NS] = "lock_max_ns",
};

/*
 * Numbers
 */

/**
 * struct knob - a number in &struct csf_knobs
 * @name: of the file
 * @offset: in &struct csf_knobs
 * @max: largest value
 * @m: GPU; there is one, as is the directory
 */
struct knob {
	const char *name;
	size_t offset;
	u64 max;
	struct csf_model *m;
};

static struct knob knobs[] = {
	{ "pause", offsetof(struct csf_knobs, pause), 1 },
	{ "step", offsetof(struct csf_knobs, steps), S64_MAX },
	{ "as_latency_us", offsetof(struct csf_knobs, as_latency_us), USEC_PER_SEC },
	{ "as_late_us", offsetof(struct csf_knobs, as_late_us), USEC_PER_SEC },
	{ "as_hang_nth", offsetof(struct csf_knobs, as_hang_nth), S64_MAX },
	{ "as_drop_nth", offsetof(struct csf_knobs, as_drop_nth), S64_MAX },
	{ "flush_hang_nth", offsetof(struct csf_knobs, flush_hang_nth), S64_MAX },
	{ "boot_latency_us", offsetof(struct csf_knobs, boot_latency_us), USEC_PER_SEC },
	{ "mcu_hang", offsetof(struct csf_knobs, mcu_hang), 2 },
	{ "refuse_power", offsetof(struct csf_knobs, refuse_power), 1 },
	{ "reset_hang", offsetof(struct csf_knobs, reset_hang), 1 },
	{ "retention", offsetof(struct csf_knobs, retention), 1 },
	{ "tiler_oom_auto", offsetof(struct csf_knobs, tiler_oom_auto), 1 },
	{ "ack_latency_us", offsetof(struct csf_knobs, ack_latency_us), USEC_PER_SEC },
};

static u64 *knob_field(const struct knob *knob)
{
	return (void *)&knob->m->knobs + knob->offset;
}

static int knob_get(void *data, u64 *val)
{
	const struct knob *knob = data;
	unsigned long flags = csf_lock(knob->m);

	*val = *knob_field(knob);
	csf_unlock(knob->m, flags);
	return 0;
}

static int knob_set(void *data, u64 val)
{
	const struct knob *knob = data;
	unsigned long flags;

	if (val > knob->max)
		return -ERANGE;
	flags = csf_lock(knob->m);
	*knob_field(knob) = val;
	knob->m->kick = true;
	csf_unlock(knob->m, flags);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(knob_fops, knob_get, knob_set, "%llu\n");

static int tlb_entries_get(void *data, u64 *val)
{
	struct csf_model *m = data;

	*val = m->tlb_entries;
	return 0;
}

static int tlb_entries_set(void *data, u64 val)
{
	if (val > CSF_TLB_MAX)
		return -ERANGE;
	return csf_mmu_alloc(data, val);
}
DEFINE_DEBUGFS_ATTRIBUTE(tlb_entries_fops, tlb_entries_get, tlb_entries_set, "%llu\n");

/*
 * Commands: a line of text written to a file makes something happen
 */

static int inject_fault(struct csf_model *m, const char *line)
{
	static const char * const names[] = { "exec", "read", "write" };
	unsigned int as;
	char name[8];
	u64 va;
	int access;

	if (sscanf(line, "%u %llx %7s", &as, &va, name) != 3)
		return -EINVAL;
	access = match_string(names, ARRAY_SIZE(names), name);
	if (access < 0)
		return -EINVAL;
	if (as >= CSF_MAX_AS || !(m->variant->as_present & BIT(as)))
		return -ERANGE;
	csf_mmu_fault(m, as, va, CSF_FAULT_TRANSLATION + 3, CSF_ACCESS_EXEC + access);
	return 0;
}

static int inject_fatal(struct csf_model *m, const char *line)
{
	unsigned int csg, cs, code;

	if (sscanf(line, "%u %u %x", &csg, &cs, &code) != 3)
		return -EINVAL;
	if (!code || code > 0xff)
		return -ERANGE;
	return csf_csg_inject_fatal(m, csg, cs, code);
}

static int inject_oom(struct csf_model *m, const char *line)
{
	unsigned int csg, cs;

	if (sscanf(line, "%u %u", &csg, &cs) != 2)
		return -EINVAL;
	return csf_csg_inject_oom(m, csg, cs);
}

static int inject_progress(struct csf_model *m, const char *line)
{
	unsigned int csg;
	int ret = kstrtouint(line, 0, &csg);

	return ret ?: csf_csg_inject_progress(m, csg);
}

static int lose_irq(struct csf_model *m, const char *line)
{
	static const char * const names[CSF_NUM_BLOCKS] = { "job", "mmu", "gpu" };
	int block = match_string(names, CSF_NUM_BLOCKS, line);

	if (block < 0)
		return -EINVAL;
	m->irq[block].lose = true;
	return 0;
}

static ssize_t command_write(struct file *file, const char __user *buf, size_t len,
			     int (*run)(struct csf_model *m, const char *line))
{
	struct csf_model *m = file_inode(file)->i_private;
	unsigned long flags;
	char line[64];
	int ret;

	if (len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, buf, len))
		return -EFAULT;
	line[len] = '\0';
	flags = csf_lock(m);
	ret = run(m, strim(line));
	m->kick = true;
	csf_unlock(m, flags);
	return ret ?: len;
}

#define DEFINE_COMMAND(_name)							\
static ssize_t _name##_write(struct file *file, const char __user *buf,	\
			     size_t len, loff_t *pos)				\
{										\
	return command_write(file, buf, len, _name);				\
}										\
										\
static const struct file_operations _name##_fops = {				\
	.owner = THIS_MODULE,							\
	.open = simple_open,							\
	.write = _name##_write,							\
}

DEFINE_COMMAND(inject_fault);
DEFINE_COMMAND(inject_fatal);
DEFINE_COMMAND(inject_oom);
DEFINE_COMMAND(inject_progress);
DEFINE_COMMAND(lose_irq);

/*
 * Reports
 */

static int warning_log_show(struct seq_file *s, void *unused)
{
	struct csf_model *m = s->private;
	unsigned int i;

	for (i = 0; i < CSF_NUM_BUGS; i++)
		if (m->bugs[i])
			seq_printf(s, "%s %u\n", csf_bug_names[i], m->bugs[i]);
	return 0;
}

static int warning_log_open(struct inode *inode, struct file *file)
{
	return single_open(file, warning_log_show, inode->i_private);
}

/* Anything written clears the log, so that the next bug is printed again */
static ssize_t warning_log_write(struct file *file, const char __user *buf, size_t len,
				 loff_t *pos)
{
	struct csf_model *m = file_inode(file)->i_private;
	unsigned long flags = csf_lock(m);

	memset(m->bugs, 0, sizeof(m->bugs));
	m->stat[CSF_STAT_WARNINGS] = 0;
	csf_unlock(m, flags);
	return len;
}

static const struct file_operations warning_log_fops = {
	.owner = THIS_MODULE,
	.open = warning_log_open,
	.read = seq_read,
	.write = warning_log_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static void audit_as(struct seq_file *s, struct csf_model *m, unsigned int nr)
{
	struct csf_tlb_entry e;
	unsigned long flags;
	unsigned int slot;
	bool stale;

	for (slot = 0; ; slot++) {
		flags = csf_lock(m);
		stale = slot < m->tlb_entries && csf_mmu_tlb_stale(m, nr, slot, &e);
		csf_unlock(m, flags);
		if (slot >= m->tlb_entries)
			return;
		if (!stale)
			continue;
		seq_printf(s, "AS%u VA 0x%llx PA 0x%llx\n", nr, e.vpn << CSF_PAGE_SHIFT, e.x.pa);
	}
}

/* Once the driver's operations have returned, no translation may be stale */
static int tlb_audit_show(struct seq_file *s, void *unused)
{
	struct csf_model *m = s->private;
	unsigned int nr;

	/* nothing uses the TLB then, and drivers may free tables */
	if (m->mcu.status != MCU_ENABLED)
		return 0;
	for (nr = 0; nr < CSF_MAX_AS; nr++)
		audit_as(s, m, nr);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(tlb_audit);

static int state_show(struct seq_file *s, void *unused)
{
	struct csf_model *m = s->private;
	unsigned int nr, i;

	seq_printf(s, "clock %d l2 %d mcu %d flush_id %u\n", m->clock_on, csf_l2_ready(m),
		   m->mcu.status, m->flush_id);
	for (nr = 0; nr < CSF_MAX_AS; nr++)
		if (m->as[nr].transtab || m->as[nr].busy || m->as[nr].locked)
			seq_printf(s, "as %u transtab 0x%llx transcfg 0x%llx busy %d locked %d\n",
				   nr, m->as[nr].transtab, m->as[nr].transcfg, m->as[nr].busy,
				   m->as[nr].locked);
	for (i = 0; i < CSF_NUM_CSGS * CSF_NUM_STREAMS; i++) {
		struct csf_stream *cs = &m->csg[i / CSF_NUM_STREAMS].streams[i % CSF_NUM_STREAMS];

		if (cs->started)
			seq_printf(s, "csg %u cs %u as %u result %d stall %d extract 0x%llx insert 0x%llx pc 0x%llx\n",
				   cs->csg, cs->nr, m->csg[cs->csg].as, cs->last, cs->stall,
				   cs->cs.state.extract, cs->cs.insert, csf_cs_pc(&cs->cs));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static const struct {
	const char *name;
	umode_t mode;
	const struct file_operations *fops;
} files[] = {
	{ "tlb_entries", 0600, &tlb_entries_fops },
	{ "inject_fault", 0200, &inject_fault_fops },
	{ "fatal", 0200, &inject_fatal_fops },
	{ "tiler_oom", 0200, &inject_oom_fops },
	{ "progress_timeout", 0200, &inject_progress_fops },
	{ "lose_irq", 0200, &lose_irq_fops },
	{ "warning_log", 0600, &warning_log_fops },
	{ "tlb_audit", 0400, &tlb_audit_fops },
	{ "state", 0400, &state_fops },
};

/**
 * csf_debugfs_init() - make the files
 * @m: GPU
 */
void csf_debugfs_init(struct csf_model *m)
{
	struct dentry *counters;
	unsigned int i;

	m->debugfs = debugfs_create_dir("mali_csf_model", NULL);
	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		knobs[i].m = m;
		debugfs_create_file(knobs[i].name, 0600, m->debugfs, &knobs[i], &knob_fops);
	}
	for (i = 0; i < ARRAY_SIZE(files); i++)
		debugfs_create_file(files[i].name, files[i].mode, m->debugfs, m, files[i].fops);

	counters = debugfs_create_dir("counters", m->debugfs);
	for (i = 0; i < CSF_NUM_STATS; i++)
		debugfs_create_u64(stat_names[i], 0400, counters, &m->stat[i]);
	debugfs_create_atomic_t("trap_count", 0400, counters, &m->traps.count);
	debugfs_create_atomic_t("trap_slow", 0400, counters, &m->traps.slow);
	debugfs_create_atomic_t("trap_max_us", 0400, counters, &m->traps.max_us);
}

/**
 * csf_debugfs_exit() - remove the files
 * @m: GPU
 */
void csf_debugfs_exit(struct csf_model *m)
{
	debugfs_remove(m->debugfs);
}
