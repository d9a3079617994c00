/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The software Mali CSF GPU: what its parts share.
 *
 *   core.c       register file, reset, power, clock, interrupts, time, threads
 *   mmu.c        address spaces, page-table walk, TLB, faults
 *   mcu.c        firmware: boot, global interface, doorbells
 *   csg.c        firmware: groups on their slots, suspend buffers, scheduling
 *   stream.c     firmware: command streams, rings, execution
 *   cs.c         command stream interpreter
 *   debugfs.c    knobs and counters
 *   seam.c       the seam to the machine that the model runs in
 *   iomem_*.c    how register accesses get here, on UML and by MMIO tracing
 *
 * One raw spinlock protects all state. Register accesses ("traps") come from
 * any context the driver likes, so they never sleep and never deliver an
 * interrupt: they change state, kick the MCU's thread, and return. Command streams
 * may execute for as long as they like, in slices: whoever waits for the lock ends
 * the slice, so that drivers' register accesses take as little time as on hardware.
 */
#ifndef MALI_CSF_MODEL_H
#define MALI_CSF_MODEL_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "cs.h"

struct dentry;
struct task_struct;

/* As on RK3588; doorbells go as far */
#define CSF_REGION_SIZE		0x200000
#define CSF_FLUSH_ID_OFFSET	0x10000

#define CSF_MAX_AS		16
#define CSF_NUM_CSGS		8
#define CSF_NUM_STREAMS		8	/* per group */
#define CSF_NUM_DOMAINS		3	/* shader, tiler, L2 */
#define CSF_DOMAIN_L2		2
#define CSF_NUM_REG_ROWS	128	/* upper limit of core.c's table */

/* The GPU's own, whatever size the CPU's pages have */
#define CSF_PAGE_SHIFT		12
#define CSF_PAGE_SIZE		BIT_ULL(CSF_PAGE_SHIFT)
#define CSF_PAGE_MASK		(~(CSF_PAGE_SIZE - 1))

#define CSF_TLB_DEFAULT		4096
#define CSF_TLB_MAX		65536

/* Instructions, or 64 KiB pieces of a range, per hold of the lock */
#define CSF_SLICE		64

/* What can't announce itself is looked at so often */
#define CSF_POLL_NS		(1 * NSEC_PER_MSEC)

/* Drivers give up after 100 ms: accesses of this duration spoil a run */
#define CSF_TRAP_SLOW_US	(10 * USEC_PER_MSEC)

enum csf_block {
	CSF_JOB,
	CSF_MMU,
	CSF_GPU,
	CSF_NUM_BLOCKS
};

/* Bits of the GPU block's interrupt registers */
#define CSF_GPU_IRQ_RESET_COMPLETED	BIT(8)
#define CSF_GPU_IRQ_POWER_CHANGED	BIT(9)
#define CSF_GPU_IRQ_POWER_CHANGED_ALL	BIT(10)
#define CSF_GPU_IRQ_CLEAN_CACHES	BIT(17)
#define CSF_JOB_IRQ_GLOBAL		BIT(31)

/* FAULTSTATUS bits 9:8 */
enum csf_access {
	CSF_ACCESS_EXEC = 1,
	CSF_ACCESS_READ = 2,
	CSF_ACCESS_WRITE = 3,
};

/* FAULTSTATUS bits 7:0; the level at which the walk stopped is added */
#define CSF_FAULT_TRANSLATION	0xc0
#define CSF_FAULT_PERMISSION	0xc8
#define CSF_FAULT_ACCESS_FLAG	0xd8
#define CSF_FAULT_ADDR_SIZE_IN	0xe0
#define CSF_FAULT_ADDR_SIZE_OUT	0xe4
#define CSF_FAULT_MEMATTR	0xe8

/* Registers of an address space, as indices of 32-bit words */
enum csf_as_reg {
	AS_TRANSTAB_LO = 0x00 / 4,
	AS_MEMATTR_LO = 0x08 / 4,
	AS_LOCKADDR_LO = 0x10 / 4,
	AS_COMMAND = 0x18 / 4,
	AS_FAULTSTATUS = 0x1c / 4,
	AS_FAULTADDRESS_LO = 0x20 / 4,
	AS_STATUS = 0x28 / 4,
	AS_TRANSCFG_LO = 0x30 / 4,
	AS_FAULTEXTRA_LO = 0x38 / 4,
	AS_NUM_REGS = 16
};

enum csf_as_command {
	AS_NOP,
	AS_UPDATE,
	AS_LOCK,
	AS_UNLOCK,
	AS_FLUSH_PT,
	AS_FLUSH_MEM,
	AS_NUM_COMMANDS
};

#define AS_MODE_UNMAPPED	1
#define AS_MODE_AARCH64_4K	6

/*
 * Event counters; debugfs.c has a name for each. The first ones are in the
 * order of enum csf_as_command.
 */
enum csf_stat {
	CSF_STAT_AS_NOP,
	CSF_STAT_AS_UPDATE,
	CSF_STAT_AS_LOCK,
	CSF_STAT_AS_UNLOCK,
	CSF_STAT_AS_FLUSH_PT,
	CSF_STAT_AS_FLUSH_MEM,
	CSF_STAT_TLB_HITS,
	CSF_STAT_TLB_MISSES,
	CSF_STAT_WALKS,
	CSF_STAT_STALE_HITS,
	CSF_STAT_FAULTS,
	CSF_STAT_BYTES_READ,
	CSF_STAT_BYTES_WRITTEN,
	CSF_STAT_INSTRUCTIONS,
	CSF_STAT_JOBS,
	CSF_STAT_DOORBELLS_GLOBAL,
	CSF_STAT_DOORBELLS_USER,
	CSF_STAT_IRQS_JOB,	/* order of enum csf_block */
	CSF_STAT_IRQS_MMU,
	CSF_STAT_IRQS_GPU,
	CSF_STAT_REG_READS,
	CSF_STAT_REG_WRITES,
	CSF_STAT_AS_LOCK_NS,
	CSF_STAT_RESETS,
	CSF_STAT_BOOTS,
	CSF_STAT_GPU_FLUSHES,
	CSF_STAT_CSG_START,
	CSF_STAT_CSG_SUSPEND,
	CSF_STAT_CSG_RESUME,
	CSF_STAT_CSG_TERMINATE,
	CSF_STAT_WARNINGS,
	CSF_STAT_AS_L2_OFF,
	CSF_STAT_PINGS,
	CSF_STAT_CLOCK_ON,
	CSF_STAT_TILER_OOM_GRANTED,
	CSF_STAT_TILER_OOM_REFUSED,
	CSF_STAT_LOCK_MAX_NS,
	CSF_NUM_STATS
};

/* Driver bugs; core.c has a name for each */
enum csf_bug {
	CSF_BUG_REG_CLOCK_OFF,
	CSF_BUG_REG_SIZE,
	CSF_BUG_REG_UNKNOWN,
	CSF_BUG_REG_ACCESS,
	CSF_BUG_GPU_CMD,
	CSF_BUG_POWER,
	CSF_BUG_IRQ_STUCK,
	CSF_BUG_AS_BUSY,
	CSF_BUG_AS_CMD,
	CSF_BUG_AS_CONFIG,
	CSF_BUG_AS_LOCK_LOST,
	CSF_BUG_AS_RECYCLED,
	CSF_BUG_NOT_RAM,
	CSF_BUG_TABLE_FREED,
	CSF_BUG_PAGE_FREED,
	CSF_BUG_STALE_TLB,
	CSF_BUG_MCU_FAULT,
	CSF_BUG_FIRMWARE,
	CSF_BUG_MCU_CONTROL,
	CSF_BUG_HALT_BUSY,
	CSF_BUG_REQ_IGNORED,
	CSF_BUG_CSG_STATE,
	CSF_BUG_CSG_AS,
	CSF_BUG_RING,
	CSF_BUG_SUSPEND_BUF,
	CSF_NUM_BUGS
};

/**
 * struct csf_variant - identification of a GPU
 * @name: value of the module parameter
 * @arch: directory of its firmware, for messages
 * @gpu_id: GPU_ID
 * @l2_features: L2_FEATURES
 * @core_features: CORE_FEATURES
 * @tiler_features: TILER_FEATURES
 * @mem_features: MEM_FEATURES
 * @mmu_features: MMU_FEATURES: VA bits in [7:0], PA bits in [15:8]
 * @as_present: AS_PRESENT
 * @csf_id: CSF_ID
 * @thread_max_threads: THREAD_MAX_THREADS
 * @thread_max_workgroup_size: THREAD_MAX_WORKGROUP_SIZE
 * @thread_max_barrier_size: THREAD_MAX_BARRIER_SIZE
 * @thread_features: THREAD_FEATURES
 * @texture_features: TEXTURE_FEATURES
 * @revidr: REVIDR
 * @present: SHADER_PRESENT, TILER_PRESENT, L2_PRESENT
 */
struct csf_variant {
	const char *name;
	const char *arch;
	u32 gpu_id;
	u32 l2_features;
	u32 core_features;
	u32 tiler_features;
	u32 mem_features;
	u32 mmu_features;
	u32 as_present;
	u32 csf_id;
	u32 thread_max_threads;
	u32 thread_max_workgroup_size;
	u32 thread_max_barrier_size;
	u32 thread_features;
	u32 texture_features[4];
	u32 revidr;
	u64 present[CSF_NUM_DOMAINS];
};

/**
 * struct csf_irq - one of the three interrupt blocks
 * @rawstat: pending events
 * @mask: enabled events; the line is high while @rawstat & @mask
 * @lose: knob: swallow the next assertion
 * @high: level at the last look
 * @swallowed: this assertion is lost, until the next event
 * @retry: not before this time is a line that nobody lowered delivered again
 * @ignored: deliveries in a row after which the line was still high
 */
struct csf_irq {
	u32 rawstat;
	u32 mask;
	bool lose;
	bool high;
	bool swallowed;
	ktime_t retry;
	u32 ignored;
};

/**
 * struct csf_xlate - result of a translation
 * @pa: physical address of the 4 KiB page
 * @level: where the walk ended, 2 for a block, 3 for a page
 * @attr: index into MEMATTR
 * @readonly: AP[2]
 * @noexec: XN
 */
struct csf_xlate {
	u64 pa;
	u8 level;
	u8 attr;
	bool readonly;
	bool noexec;
};

/*
 * A stale translation may live as long as a driver operation takes, which is long
 * where the host is slow or was stopped. tlb_audit is exact, but wants the driver at rest.
 */
#define CSF_STALE_LIMIT_NS	(30ULL * NSEC_PER_SEC)

/**
 * struct csf_tlb_entry - one cached translation
 * @vpn: VA >> 12
 * @x: translation
 * @valid: in use
 * @stale_since: when the page table was first seen to say otherwise, or 0
 */
struct csf_tlb_entry {
	u64 vpn;
	struct csf_xlate x;
	bool valid;
	ktime_t stale_since;
};

/**
 * struct csf_as - an address space
 * @regs: registers as written; no effect on translation before UPDATE
 * @transtab: latched by UPDATE, as are @memattr and @transcfg
 * @memattr: see @transtab
 * @transcfg: see @transtab
 * @updates: number of UPDATEs, for those who wait for one
 * @fault: FAULTSTATUS holds a fault that has not been served
 * @faulted: there was a fault since it was last mapped
 * @locked: a region is locked
 * @lock_start: its first byte
 * @lock_last: its last byte
 * @lock_time: since when
 * @busy: a command is active
 * @hung: it never ends (knob)
 * @drop: it ends without effect (knob)
 * @cmd: the active command
 * @cmd_lockaddr: LOCKADDR when it was written
 * @deadline: when it ends
 * @tlb: entries, &csf_model.tlb_entries of them
 * @tlb_victim: chooses the entry to be replaced
 */
struct csf_as {
	u32 regs[AS_NUM_REGS];
	u64 transtab;
	u64 memattr;
	u64 transcfg;
	u64 updates;
	bool fault;
	bool faulted;
	bool locked;
	u64 lock_start;
	u64 lock_last;
	ktime_t lock_time;
	bool busy;
	bool hung;
	bool drop;
	u32 cmd;
	u64 cmd_lockaddr;
	ktime_t deadline;
	struct csf_tlb_entry *tlb;
	unsigned int tlb_victim;
};

/* MCU_STATUS */
enum csf_mcu_status {
	MCU_DISABLED,
	MCU_ENABLED,
	MCU_HALTED,
	MCU_FATAL,
};

/**
 * struct csf_mcu - the microcontroller and the global interface
 * @control: MCU_CONTROL
 * @status: MCU_STATUS
 * @boot: to be booted as soon as AS0 can be used, and it's @boot_time
 * @boot_time: when it has booted, if nothing else keeps it
 * @halt: the HALT request as last seen: only 0 to 1 counts
 * @glb_doorbell: doorbell 0 was rung
 * @doorbells: user doorbells that were rung
 */
struct csf_mcu {
	u32 control;
	enum csf_mcu_status status;
	bool boot;
	ktime_t boot_time;
	bool halt;
	bool glb_doorbell;
	u32 doorbells;
};

/* Why a stream can't go on */
enum csf_stall {
	CSF_STALL_NONE,
	CSF_STALL_FAULT,	/* MMU fault; until its AS is reprogrammed */
	CSF_STALL_LOCK,		/* region locked, or UPDATE under way */
	CSF_STALL_OOM,		/* waits for tiler heap memory */
};

enum csf_oom {
	CSF_OOM_NONE,
	CSF_OOM_ASKED,
	CSF_OOM_GRANTED,
	CSF_OOM_REFUSED,
};

/**
 * struct csf_stream - a command stream slot
 * @m: the GPU
 * @csg: group slot
 * @nr: index in the group
 * @cs: the interpreter
 * @started: CS_ACK.STATE is START
 * @restored: @cs.state comes from a suspend buffer
 * @corrupt: it should, but that was not what had been written
 * @last: result of the last step
 * @stall: reason of %CSF_CS_STALLED
 * @stall_updates: &csf_as.updates at that time
 * @stall_va: address of the access that stalled
 * @sync_seen: &csf_model.sync_writes when SYNC_WAIT was last evaluated
 * @poll: when what can't announce itself is looked at again
 * @oom: state of the request for heap memory
 * @req: CS_IN.REQ as of the last doorbell (idle enables)
 * @config: CS_IN.CONFIG: priority, doorbell id
 * @events: to be raised once the host has acknowledged the previous ones
 * @surplus: INSERT was more than the ring holds; read it again
 * @in_va: ring input page, MCU address
 * @out_va: ring output page, MCU address
 * @extract_out: extract as last written to @out_va
 */
struct csf_stream {
	struct csf_model *m;
	u8 csg;
	u8 nr;
	struct csf_cs cs;
	bool started;
	bool restored;
	bool corrupt;
	enum csf_cs_result last;
	enum csf_stall stall;
	u64 stall_updates;
	u64 stall_va;
	u64 sync_seen;
	ktime_t poll;
	enum csf_oom oom;
	u32 req;
	u32 config;
	u32 events;
	bool surplus;
	u64 in_va;
	u64 out_va;
	u64 extract_out;
};

/**
 * struct csf_csg - a group slot
 * @active: a group is resident
 * @idle: IDLE was reported and nothing happened since
 * @as: address space of the group
 * @checked: @as has been looked at, which has to wait for its UPDATE
 * @transtab: page table of @as at that time
 * @priority: of the group, 15 highest
 * @events: to be raised once the host has acknowledged the previous ones
 * @streams: command stream slots
 */
struct csf_csg {
	bool active;
	bool idle;
	u8 as;
	bool checked;
	u64 transtab;
	u8 priority;
	u32 events;
	struct csf_stream streams[CSF_NUM_STREAMS];
};

/* How many suspend buffers are remembered */
#define CSF_NUM_SUSPEND_BUFS	256

/**
 * struct csf_suspend_buf - what the model last wrote to a suspend buffer
 * @va: MCU address; 0 = unused
 * @generation: of the image there
 */
struct csf_suspend_buf {
	u64 va;
	u64 generation;
};

/**
 * struct csf_knobs - settings by debugfs
 * @pause: command streams don't execute
 * @steps: but so many instructions
 * @as_latency_us: duration of an AS command
 * @as_late_us: duration of the next one, if it's not 0
 * @as_hang_nth: countdown to an AS command that never ends
 * @as_drop_nth: countdown to an AS command without effect
 * @flush_hang_nth: countdown to a cache flush (GPU_CMD) that never ends
 * @boot_latency_us: duration of the firmware's boot
 * @mcu_hang: firmware does nothing; 1 until the next reset, 2 for good
 * @refuse_power: power-up requests are ignored; what a driver does without
 *	power is then not reported
 * @reset_hang: GPU resets are ignored; the loss of power still is one
 * @retention: register contents survive the clock being off
 * @tiler_oom_auto: every RUN_TILING and RUN_IDVS with a heap asks for a chunk
 * @ack_latency_us: duration of a write that clears an interrupt of the GPU block
 */
struct csf_knobs {
	u64 pause;
	u64 steps;
	u64 as_latency_us;
	u64 as_late_us;
	u64 as_hang_nth;
	u64 as_drop_nth;
	u64 flush_hang_nth;
	u64 boot_latency_us;
	u64 mcu_hang;
	u64 refuse_power;
	u64 reset_hang;
	u64 retention;
	u64 tiler_oom_auto;
	u64 ack_latency_us;
};

/* Whether the event that a knob counts down to is there */
static inline bool csf_countdown(u64 *n)
{
	return *n && !--*n;
}

struct csf_model;

/**
 * struct csf_seam_ops - what the model needs from the machine it runs in
 * @raise_irq: call the interrupt handlers of a block; from the MCU's
 *	thread, without the lock
 * @answer: value of a register that is being read, with the lock
 */
struct csf_seam_ops {
	void (*raise_irq)(struct csf_model *m, enum csf_block block);
	void (*answer)(struct csf_model *m, u32 offset, u32 val);
};

/**
 * struct csf_traps - durations of register accesses, most of which is waiting for
 *	the lock, or for a CPU of the host
 * @count: all
 * @slow: longer than %CSF_TRAP_SLOW_US
 * @max_us: the longest
 */
struct csf_traps {
	atomic_t count;
	atomic_t slow;
	atomic_t max_us;
};

/**
 * struct csf_model - a GPU
 * @lock: protects everything below, except what is constant after creation
 * @waiters: CPUs that wait for @lock
 * @traps: how long register accesses take, where the way in measures it; no lock
 * @variant: identification
 * @coherent: the driver is told that the GPU snoops CPU caches
 * @quiet: count driver bugs, but don't print (tests of the checkers)
 * @seam: the machine
 * @seam_priv: private to it
 * @flush_page: backs LATEST_FLUSH_ID for mappings by user space; or NULL
 * @mcu_thread: the firmware and the interrupt lines
 * @cs_thread: executes command streams
 * @kick: there is something to do for @mcu_thread
 * @cs_kick: there is something to do for @cs_thread
 * @clock_on: core clock enabled
 * @clock_hz: its rate
 * @l2_off_asked: L2 is off because the driver turned it off, not by a reset
 * @reg: registers without behaviour, by row of the table
 * @ready: powered cores by domain
 * @irq: interrupt blocks
 * @ack_us: how long the register write that is under way takes
 * @flush_id: LATEST_FLUSH_ID
 * @as: address spaces
 * @tlb_entries: size of each TLB
 * @mcu: firmware
 * @csg: group slots
 * @sync_writes: sync objects written so far
 * @scratch: state on its way from a suspend buffer
 * @suspend_bufs: suspend buffers in use
 * @suspend_next: next of them to be overwritten
 * @suspend_generation: of the last image written
 * @knobs: settings
 * @stat: counters
 * @bugs: driver bugs found, by kind
 * @debugfs: directory
 */
struct csf_model {
	raw_spinlock_t lock;
	atomic_t waiters;
	struct csf_traps traps;
	const struct csf_variant *variant;
	bool coherent;
	bool quiet;
	const struct csf_seam_ops *seam;
	void *seam_priv;
	u32 *flush_page;

	struct task_struct *mcu_thread;
	struct task_struct *cs_thread;
	bool kick;
	bool cs_kick;

	bool clock_on;
	unsigned long clock_hz;
	bool l2_off_asked;
	u32 reg[CSF_NUM_REG_ROWS];
	u64 ready[CSF_NUM_DOMAINS];
	struct csf_irq irq[CSF_NUM_BLOCKS];
	u32 ack_us;
	u32 flush_id;

	struct csf_as as[CSF_MAX_AS];
	unsigned int tlb_entries;

	struct csf_mcu mcu;
	struct csf_csg csg[CSF_NUM_CSGS];
	u64 sync_writes;
	struct csf_cs_state scratch;
	struct csf_suspend_buf suspend_bufs[CSF_NUM_SUSPEND_BUFS];
	unsigned int suspend_next;
	u64 suspend_generation;

	struct csf_knobs knobs;
	u64 stat[CSF_NUM_STATS];
	u32 bugs[CSF_NUM_BUGS];
	struct dentry *debugfs;
};

/* core.c */
extern const char * const csf_bug_names[CSF_NUM_BUGS];

const struct csf_variant *csf_variant_find(const char *name);
struct csf_model *csf_model_create(const struct csf_variant *variant, bool coherent,
				   unsigned int tlb_entries);
void csf_model_destroy(struct csf_model *m);
int csf_model_start(struct csf_model *m);
void csf_model_stop(struct csf_model *m);

unsigned long csf_lock(struct csf_model *m) __acquires(&m->lock);
bool csf_lock_wanted(const struct csf_model *m);
void csf_unlock(struct csf_model *m, unsigned long flags) __releases(&m->lock);

u32 csf_reg_read(struct csf_model *m, u32 offset);
void csf_reg_write(struct csf_model *m, u32 offset, u32 val);
void csf_trap_done(struct csf_model *m, ktime_t start);
void csf_reg_bad_size(struct csf_model *m, u32 offset, int size);
void csf_core_clock(struct csf_model *m, bool on);
void csf_core_flushed(struct csf_model *m);
u64 csf_core_timestamp(struct csf_model *m);
u64 csf_core_cycles(struct csf_model *m);
void csf_irq_raise(struct csf_model *m, enum csf_block block, u32 bits);
void csf_irq_deliver(struct csf_model *m);

static inline bool csf_l2_ready(const struct csf_model *m)
{
	return m->ready[CSF_DOMAIN_L2] & 1;
}

__printf(3, 4)
void csf_bug(struct csf_model *m, enum csf_bug bug, const char *fmt, ...);

/* mmu.c */
int csf_mmu_alloc(struct csf_model *m, unsigned int tlb_entries);
void csf_mmu_free(struct csf_model *m);
void csf_mmu_reset(struct csf_model *m);
void csf_mmu_drop_tlbs(struct csf_model *m);
u32 csf_mmu_reg_read(struct csf_model *m, unsigned int nr, enum csf_as_reg reg);
void csf_mmu_reg_write(struct csf_model *m, unsigned int nr, enum csf_as_reg reg, u32 val);
void csf_mmu_int_cleared(struct csf_model *m, u32 bits);
bool csf_mmu_blocked(struct csf_model *m, unsigned int nr);
bool csf_mmu_mapped(struct csf_model *m, unsigned int nr, u64 va, enum csf_access access);
int csf_mmu_access(struct csf_model *m, unsigned int nr, u64 va, void *buf, size_t len,
		   enum csf_access access);
void csf_mmu_fault(struct csf_model *m, unsigned int nr, u64 va, u32 code,
		   enum csf_access access);
bool csf_mmu_tlb_stale(struct csf_model *m, unsigned int nr, unsigned int slot,
		       struct csf_tlb_entry *entry);

static inline u32 csf_as_mode(const struct csf_as *as)
{
	return as->transcfg & 0xf;
}

/* mcu.c */
void csf_mcu_control(struct csf_model *m, u32 val);
void csf_mcu_reset(struct csf_model *m);
void csf_mcu_doorbell(struct csf_model *m, unsigned int id);
void csf_mcu_as0_command(struct csf_model *m);
bool csf_mcu_pass(struct csf_model *m);
bool csf_mcu_alive(struct csf_model *m);
void csf_fw_access(struct csf_model *m, u64 va, void *buf, size_t len,
		   enum csf_access access);
u32 csf_fw_read32(struct csf_model *m, u64 va);
u64 csf_fw_read64(struct csf_model *m, u64 va);
void csf_fw_write32(struct csf_model *m, u64 va, u32 val);
void csf_fw_write64(struct csf_model *m, u64 va, u64 val);

/* stream.c */
static inline struct csf_csg *csf_stream_csg(const struct csf_stream *s)
{
	return &s->m->csg[s->csg];
}

void csf_stream_clear(struct csf_model *m, unsigned int csg, unsigned int nr);
void csf_stream_stopped(struct csf_stream *s);
void csf_stream_doorbell(struct csf_stream *s);
void csf_stream_latch(struct csf_stream *s);
void csf_stream_flush_events(struct csf_stream *s);
bool csf_stream_idle(const struct csf_stream *s);
bool csf_stream_more_work(const struct csf_stream *s);
void csf_stream_write_status(struct csf_stream *s);
bool csf_stream_runnable(const struct csf_stream *s);
bool csf_stream_wants_poll(const struct csf_stream *s);
void csf_stream_run(struct csf_stream *s);
void csf_stream_kill(struct csf_stream *s, u32 type, u64 info);
void csf_stream_raise_oom(struct csf_stream *s);

/* csg.c */
void csf_csg_raise(struct csf_model *m, struct csf_csg *g, u32 event);
void csf_csg_init(struct csf_model *m);
void csf_csg_reset(struct csf_model *m);
bool csf_csg_busy(const struct csf_model *m);
u32 csf_csg_resident(const struct csf_model *m);
void csf_csg_doorbell(struct csf_model *m, unsigned int nr);
void csf_csg_user_doorbells(struct csf_model *m, u32 doorbells);
bool csf_csg_retry_events(struct csf_model *m);
void csf_csg_as_update(struct csf_model *m, unsigned int as);
s64 csf_csg_next_run(struct csf_model *m);
bool csf_csg_run(struct csf_model *m);
int csf_csg_inject_fatal(struct csf_model *m, unsigned int csg, unsigned int cs, u32 code);
int csf_csg_inject_oom(struct csf_model *m, unsigned int csg, unsigned int cs);
int csf_csg_inject_progress(struct csf_model *m, unsigned int csg);

/* debugfs.c */
void csf_debugfs_init(struct csf_model *m);
void csf_debugfs_exit(struct csf_model *m);

/* seam.c */
int csf_seam_register(void);
void csf_seam_unregister(void);

#endif
