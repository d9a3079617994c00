// SPDX-License-Identifier: GPL-2.0
/*
 * Address spaces of the software Mali CSF GPU: page-table walk, TLB, commands,
 * faults.
 *
 * Two rules make the TLB honest, so that a flush that the driver forgot shows:
 *
 * - an entry is used for as long as it exists, whatever the page table says;
 * - it goes away by UPDATE, or by UNLOCK, FLUSH_PT and FLUSH_MEM of a region
 *   that covers part of the page or block it came from. LOCK alone, a cache
 *   flush by GPU_CMD and writes to registers leave it alone.
 *
 * Translation and access are one critical section under the model's lock, as
 * is a command. So a command that has completed is ordered after every access
 * that used an older translation, which is what LOCK guarantees on hardware.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <kunit/visibility.h>

#include "compat.h"
#include "model.h"

#define GPU_PTE_TYPE_MASK		0x3
#define GPU_PTE_BLOCK		0x1
#define GPU_PTE_TABLE_OR_PAGE	0x3
#define GPU_PTE_ATTR_INDEX(pte)	(((pte) >> 2) & 0x7)
#define GPU_PTE_READONLY		BIT_ULL(7)
#define GPU_PTE_AF			BIT_ULL(10)
#define GPU_PTE_XN			BIT_ULL(54)
#define GPU_PTE_ADDR_MASK		GENMASK_ULL(47, 12)

#define BLOCK_LEVEL		2
#define PAGE_LEVEL		3

/* Seen in the fault status of command stream accesses on RK3588 */
#define FAULT_SOURCE_CS		0x2100

static u64 as_reg64(const struct csf_as *as, enum csf_as_reg reg)
{
	return as->regs[reg] | (u64)as->regs[reg + 1] << 32;
}

static bool as_present(const struct csf_model *m, unsigned int nr)
{
	return m->variant->as_present & BIT(nr);
}

/*
 * Walk
 */

static u64 page_offset(u64 va)
{
	return va & ~CSF_PAGE_MASK;
}

static unsigned int level_shift(unsigned int level)
{
	return 39 - 9 * level;
}

static bool is_ram(const struct csf_model *m, u64 pa)
{
	u32 pa_bits = (m->variant->mmu_features >> 8) & 0xff;

	return pa < BIT_ULL(pa_bits) && pfn_valid(PHYS_PFN(pa));
}

/*
 * Nobody may free a page that the GPU can reach. Later kernels keep slab pages
 * at a reference count of zero.
 */
static bool is_freed(u64 pa)
{
	struct page *page = pfn_to_page(PHYS_PFN(pa));

	return !page_count(page) && !csf_page_is_slab(page);
}

/* A fault code, or 0 and the descriptor */
static u32 read_descriptor(struct csf_model *m, u64 table, u64 va, unsigned int level, u64 *pte)
{
	u64 pa = table + ((va >> level_shift(level)) & 0x1ff) * sizeof(u64);

	if (!is_ram(m, pa)) {
		csf_bug(m, CSF_BUG_NOT_RAM, "level %u table at PA 0x%llx, not RAM (VA 0x%llx)",
			level, table, va);
		return CSF_FAULT_ADDR_SIZE_OUT + level;
	}
	if (is_freed(pa))
		csf_bug(m, CSF_BUG_TABLE_FREED,
			"level %u page table at PA 0x%llx has been freed (VA 0x%llx)",
			level, table, va);

	*pte = le64_to_cpu((__force __le64)READ_ONCE(*(u64 *)phys_to_virt(pa)));
	return 0;
}

static bool is_leaf(u64 pte, unsigned int level)
{
	if (level == BLOCK_LEVEL)
		return (pte & GPU_PTE_TYPE_MASK) == GPU_PTE_BLOCK;
	return level == PAGE_LEVEL && (pte & GPU_PTE_TYPE_MASK) == GPU_PTE_TABLE_OR_PAGE;
}

static u32 decode_leaf(struct csf_model *m, u64 pte, u64 va, unsigned int level,
		       struct csf_xlate *x)
{
	u64 offset_mask = BIT_ULL(level_shift(level)) - 1;

	if (!(pte & GPU_PTE_AF))
		return CSF_FAULT_ACCESS_FLAG + level;

	x->pa = ((pte & GPU_PTE_ADDR_MASK & ~offset_mask) | (va & offset_mask)) & CSF_PAGE_MASK;
	x->level = level;
	x->attr = GPU_PTE_ATTR_INDEX(pte);
	x->readonly = pte & GPU_PTE_READONLY;
	x->noexec = pte & GPU_PTE_XN;
	if (!is_ram(m, x->pa)) {
		csf_bug(m, CSF_BUG_NOT_RAM, "VA 0x%llx maps PA 0x%llx, not RAM", va, x->pa);
		return CSF_FAULT_ADDR_SIZE_OUT + level;
	}
	return 0;
}

/* A fault code, or 0 and the translation, without regard to permissions */
static u32 walk(struct csf_model *m, const struct csf_as *as, u64 va, struct csf_xlate *x)
{
	u64 table = as->transtab & GPU_PTE_ADDR_MASK;
	unsigned int level;
	u64 pte;
	u32 code;

	for (level = 0; ; level++) {
		code = read_descriptor(m, table, va, level, &pte);
		if (code)
			return code;
		if (is_leaf(pte, level))
			return decode_leaf(m, pte, va, level, x);
		if (level == PAGE_LEVEL || (pte & GPU_PTE_TYPE_MASK) != GPU_PTE_TABLE_OR_PAGE)
			return CSF_FAULT_TRANSLATION + level;
		table = pte & GPU_PTE_ADDR_MASK;
	}
}

/*
 * TLB
 */

/*
 * Set associative: the same page of several buffers, which are often aligned
 * alike, shall not push each other out.
 */
#define TLB_WAYS		4

static struct csf_tlb_entry *tlb_set(const struct csf_model *m, const struct csf_as *as, u64 vpn,
				     unsigned int *ways)
{
	u64 hash = vpn ^ vpn >> 12 ^ vpn >> 24;

	*ways = min(m->tlb_entries, TLB_WAYS);
	if (!as->tlb || !*ways)
		return NULL;
	return &as->tlb[hash % (m->tlb_entries / *ways) * *ways];
}

static struct csf_tlb_entry *tlb_find(const struct csf_model *m, const struct csf_as *as, u64 va)
{
	u64 vpn = va >> CSF_PAGE_SHIFT;
	unsigned int ways, i;
	struct csf_tlb_entry *set = tlb_set(m, as, vpn, &ways);

	for (i = 0; set && i < ways; i++)
		if (set[i].valid && set[i].vpn == vpn)
			return &set[i];
	return NULL;
}

static void tlb_fill(const struct csf_model *m, struct csf_as *as, u64 va,
		     const struct csf_xlate *x)
{
	u64 vpn = va >> CSF_PAGE_SHIFT;
	unsigned int ways, i;
	struct csf_tlb_entry *set = tlb_set(m, as, vpn, &ways);

	if (!set)
		return;
	for (i = 0; i < ways && set[i].valid; i++)
		;
	if (i == ways)
		i = as->tlb_victim++ % ways;
	set[i] = (struct csf_tlb_entry){ .vpn = vpn, .x = *x, .valid = true };
}

static void tlb_drop_all(const struct csf_model *m, struct csf_as *as)
{
	unsigned int i;

	for (i = 0; as->tlb && i < m->tlb_entries; i++)
		as->tlb[i].valid = false;
}

/* An entry goes with any part of the block that it came from */
static void tlb_drop_region(const struct csf_model *m, struct csf_as *as, u64 start, u64 last)
{
	unsigned int i;

	for (i = 0; as->tlb && i < m->tlb_entries; i++) {
		struct csf_tlb_entry *e = &as->tlb[i];
		u64 size = BIT_ULL(level_shift(e->x.level));
		u64 va = (e->vpn << CSF_PAGE_SHIFT) & ~(size - 1);

		if (e->valid && va <= last && va + size - 1 >= start)
			e->valid = false;
	}
}

static bool xlate_same(const struct csf_xlate *a, const struct csf_xlate *b)
{
	/* a block that was split into equal pages translates as before */
	return a->pa == b->pa && a->attr == b->attr && a->readonly == b->readonly &&
	       a->noexec == b->noexec;
}

static bool entry_is_stale(struct csf_model *m, const struct csf_as *as,
			   const struct csf_tlb_entry *e)
{
	struct csf_xlate x;

	return walk(m, as, e->vpn << CSF_PAGE_SHIFT, &x) || !xlate_same(&x, &e->x);
}

/* Between the change of a descriptor and its flush that's in order */
static void note_stale_hit(struct csf_model *m, const struct csf_as *as, struct csf_tlb_entry *e)
{
	ktime_t now = ktime_get();

	m->stat[CSF_STAT_STALE_HITS]++;
	if (!e->stale_since)
		e->stale_since = now;
	if (ktime_to_ns(ktime_sub(now, e->stale_since)) > CSF_STALE_LIMIT_NS)
		csf_bug(m, CSF_BUG_STALE_TLB,
			"AS%td: VA 0x%llx still in the TLB as PA 0x%llx, long after its page table entry changed",
			as - m->as, e->vpn << CSF_PAGE_SHIFT, e->x.pa);
}

static u32 lookup(struct csf_model *m, struct csf_as *as, u64 va, struct csf_xlate *x)
{
	struct csf_tlb_entry *e = tlb_find(m, as, va);
	u32 code;

	if (e) {
		m->stat[CSF_STAT_TLB_HITS]++;
		if (entry_is_stale(m, as, e))
			note_stale_hit(m, as, e);
		else
			e->stale_since = 0;
		*x = e->x;
		return 0;
	}

	m->stat[CSF_STAT_TLB_MISSES]++;
	m->stat[CSF_STAT_WALKS]++;
	code = walk(m, as, va, x);
	if (!code)
		tlb_fill(m, as, va, x);
	return code;
}

/**
 * csf_mmu_tlb_stale() - check one TLB entry against the page table
 * @m: GPU, locked
 * @nr: address space
 * @slot: index of the entry, less than &csf_model.tlb_entries
 * @entry: the entry, if it is stale
 *
 * Once the driver's operations have returned, no entry may be stale.
 *
 * Return: true if the entry translates in another way than the page table.
 */
bool csf_mmu_tlb_stale(struct csf_model *m, unsigned int nr, unsigned int slot,
		       struct csf_tlb_entry *entry)
{
	struct csf_as *as = &m->as[nr];

	if (!as->tlb || csf_as_mode(as) != AS_MODE_AARCH64_4K || !as->tlb[slot].valid)
		return false;
	*entry = as->tlb[slot];
	return entry_is_stale(m, as, entry);
}
EXPORT_SYMBOL_IF_KUNIT(csf_mmu_tlb_stale);

/*
 * Commands
 */

/* w = LOCKADDR[5:0]: 2^(w+1) bytes, naturally aligned; bit w of the base is ignored */
static void decode_lockaddr(u64 lockaddr, u64 *start, u64 *last)
{
	unsigned int width = (lockaddr & 0x3f) + 1;
	u64 mask = width > 63 ? ~0ULL : BIT_ULL(width) - 1;

	*start = lockaddr & ~mask;
	*last = *start | mask;
}

static void lock_region(struct csf_model *m, struct csf_as *as)
{
	u64 start, last;

	decode_lockaddr(as->cmd_lockaddr, &start, &last);
	if (as->locked && (start > as->lock_start || last < as->lock_last))
		csf_bug(m, CSF_BUG_AS_LOCK_LOST,
			"AS%td: LOCK of 0x%llx-0x%llx forgets the locked 0x%llx-0x%llx",
			as - m->as, start, last, as->lock_start, as->lock_last);
	if (!as->locked)
		as->lock_time = ktime_get();
	as->locked = true;
	as->lock_start = start;
	as->lock_last = last;
}

static void unlock_region(struct csf_model *m, struct csf_as *as)
{
	if (!as->locked)
		return;
	as->locked = false;
	m->stat[CSF_STAT_AS_LOCK_NS] += ktime_to_ns(ktime_sub(ktime_get(), as->lock_time));
	m->kick = true;
}

/* UNLOCK without a lock has no region; a flush then goes by LOCKADDR */
static void flush_region(struct csf_model *m, struct csf_as *as)
{
	u64 start = as->lock_start, last = as->lock_last;

	if (!as->locked) {
		if (as->cmd == AS_UNLOCK)
			return;
		decode_lockaddr(as->cmd_lockaddr, &start, &last);
	}
	tlb_drop_region(m, as, start, last);
}

static void check_config(struct csf_model *m, const struct csf_as *as)
{
	u32 mode = csf_as_mode(as);
	u32 va_bits = m->variant->mmu_features & 0xff;
	u32 ina_bits = (as->transcfg >> 6) & 0x1f;

	if (mode == AS_MODE_UNMAPPED)
		return;
	if (mode != AS_MODE_AARCH64_4K || ina_bits != 55 - va_bits)
		csf_bug(m, CSF_BUG_AS_CONFIG, "AS%td: UPDATE with TRANSCFG 0x%llx",
			as - m->as, as->transcfg);
	if (!as->transtab || (as->transtab & ~GPU_PTE_ADDR_MASK) || !is_ram(m, as->transtab))
		csf_bug(m, CSF_BUG_AS_CONFIG, "AS%td: UPDATE with TRANSTAB 0x%llx",
			as - m->as, as->transtab);
}

static void latch(struct csf_model *m, struct csf_as *as)
{
	as->transtab = as_reg64(as, AS_TRANSTAB_LO);
	as->memattr = as_reg64(as, AS_MEMATTR_LO);
	as->transcfg = as_reg64(as, AS_TRANSCFG_LO);
	as->fault = false;
	if (csf_as_mode(as) != AS_MODE_UNMAPPED)
		as->faulted = false;
	as->updates++;
	tlb_drop_all(m, as);
	check_config(m, as);
	csf_csg_as_update(m, as - m->as);
	m->kick = true;
}

static void complete_command(struct csf_model *m, struct csf_as *as)
{
	as->busy = false;
	switch (as->cmd) {
	case AS_UPDATE:
		if (!as->drop)
			latch(m, as);
		break;
	case AS_LOCK:
		if (!as->drop)
			lock_region(m, as);
		break;
	case AS_UNLOCK:
	case AS_FLUSH_PT:
	case AS_FLUSH_MEM:
		/* dropped means that translations stay; a lock for good helps no test */
		if (!as->drop)
			flush_region(m, as);
		unlock_region(m, as);
		break;
	}
	as->drop = false;
	if (as == m->as)
		csf_mcu_as0_command(m);
}

/* Time passes for an active command only when somebody looks */
static void poll_command(struct csf_model *m, struct csf_as *as)
{
	if (as->busy && !as->hung && ktime_compare(ktime_get(), as->deadline) >= 0)
		complete_command(m, as);
}

/*
 * While L2 is off an AS can't be used. Commands to one that is unmapped have
 * nothing to do then, and drivers issue them when a reset overtakes an unmap
 * operation; those to ASs left over at removal follow a request to turn L2 off.
 */
static void check_command_power(struct csf_model *m, const struct csf_as *as, u32 cmd)
{
	u32 mode = csf_as_mode(as);

	if (csf_l2_ready(m))
		return;
	m->stat[CSF_STAT_AS_L2_OFF]++;
	if (cmd == AS_UPDATE)
		mode = as->regs[AS_TRANSCFG_LO] & 0xf;
	if (mode != AS_MODE_UNMAPPED && !m->l2_off_asked && !m->knobs.refuse_power)
		csf_bug(m, CSF_BUG_POWER, "AS%td: command %u with L2 off", as - m->as, cmd);
}

/* In microseconds */
static u64 duration_of_command(struct csf_knobs *knobs)
{
	u64 late = knobs->as_late_us;

	knobs->as_late_us = 0;
	return late ?: knobs->as_latency_us;
}

static void start_command(struct csf_model *m, struct csf_as *as, u32 cmd)
{
	poll_command(m, as);
	if (cmd >= AS_NUM_COMMANDS) {
		csf_bug(m, CSF_BUG_AS_CMD, "AS%td: unknown command %u", as - m->as, cmd);
		return;
	}
	if (as->busy) {
		csf_bug(m, CSF_BUG_AS_BUSY, "AS%td: command %u while %u is active",
			as - m->as, cmd, as->cmd);
		return;
	}
	check_command_power(m, as, cmd);
	m->stat[CSF_STAT_AS_NOP + cmd]++;

	as->cmd = cmd;
	as->cmd_lockaddr = as_reg64(as, AS_LOCKADDR_LO);
	as->hung = csf_countdown(&m->knobs.as_hang_nth);
	as->drop = csf_countdown(&m->knobs.as_drop_nth);
	as->busy = true;
	as->deadline = ktime_add_us(ktime_get(), duration_of_command(&m->knobs));
	poll_command(m, as);
}

/* Drivers don't wait for the end of UPDATE before they use the address space */
static bool update_active(const struct csf_as *as)
{
	return as->busy && as->cmd == AS_UPDATE;
}

/**
 * csf_mmu_blocked() - whether accesses may have to wait
 * @m: GPU, locked
 * @nr: address space
 *
 * Return: true if a region is locked, or UPDATE is under way.
 */
bool csf_mmu_blocked(struct csf_model *m, unsigned int nr)
{
	poll_command(m, &m->as[nr]);
	return m->as[nr].locked || update_active(&m->as[nr]);
}

/*
 * Faults
 */

/**
 * csf_mmu_fault() - raise a fault of an address space
 * @m: GPU, locked
 * @nr: address space
 * @va: address of the access
 * @code: exception type
 * @access: kind of access
 *
 * Only the first fault is recorded until UPDATE or the driver's MMU_INT_CLEAR.
 */
void csf_mmu_fault(struct csf_model *m, unsigned int nr, u64 va, u32 code, enum csf_access access)
{
	struct csf_as *as = &m->as[nr];

	m->stat[CSF_STAT_FAULTS]++;
	as->faulted = true;
	if (as->fault)
		return;
	as->fault = true;
	as->regs[AS_FAULTSTATUS] = FAULT_SOURCE_CS << 16 | access << 8 | code;
	as->regs[AS_FAULTADDRESS_LO] = lower_32_bits(va);
	as->regs[AS_FAULTADDRESS_LO + 1] = upper_32_bits(va);
	csf_irq_raise(m, CSF_MMU, BIT(nr));
}
EXPORT_SYMBOL_IF_KUNIT(csf_mmu_fault);

/**
 * csf_mmu_int_cleared() - the driver wrote MMU_INT_CLEAR
 * @m: GPU, locked
 * @bits: written value
 *
 * Makes room for the next fault. Fault status and address stay: drivers read
 * them afterwards.
 */
void csf_mmu_int_cleared(struct csf_model *m, u32 bits)
{
	unsigned int nr;

	for (nr = 0; nr < CSF_MAX_AS; nr++)
		if (bits & BIT(nr))
			m->as[nr].fault = false;
}

/*
 * Access
 */

static u32 check_permissions(const struct csf_as *as, const struct csf_xlate *x,
			     enum csf_access access)
{
	if (access == CSF_ACCESS_WRITE && x->readonly)
		return CSF_FAULT_PERMISSION + x->level;
	if (access == CSF_ACCESS_EXEC && x->noexec)
		return CSF_FAULT_PERMISSION + x->level;
	/* bits 7:6 of the attribute: 3 = fault */
	if (((as->memattr >> (8 * x->attr)) & 0xc0) == 0xc0)
		return CSF_FAULT_MEMATTR + x->level;
	return 0;
}

static u32 translate(struct csf_model *m, struct csf_as *as, u64 va,
		     enum csf_access access, struct csf_xlate *x)
{
	u32 va_bits = m->variant->mmu_features & 0xff;
	u32 code;

	if (csf_as_mode(as) != AS_MODE_AARCH64_4K)
		return CSF_FAULT_TRANSLATION;
	if (va >> va_bits)
		return CSF_FAULT_ADDR_SIZE_IN;
	code = lookup(m, as, va, x);
	return code ?: check_permissions(as, x, access);
}

/**
 * csf_mmu_mapped() - whether an access would succeed
 * @m: GPU, locked
 * @nr: address space
 * @va: GPU address
 * @access: kind of access
 *
 * Return: true if the page is mapped and may be accessed; raises no fault.
 */
bool csf_mmu_mapped(struct csf_model *m, unsigned int nr, u64 va, enum csf_access access)
{
	struct csf_xlate x;

	return !translate(m, &m->as[nr], va, access, &x);
}

/*
 * Sync objects and interface words are polled by the CPU: one access each, in order
 * with what was accessed before, or will be afterwards.
 */
static void copy(void *dst, const void *src, size_t len)
{
	unsigned long align = (unsigned long)dst | (unsigned long)src;

	if (len == 8 && IS_ALIGNED(align, 8))
		/* pairs with what drivers have for the GPU's memory */
		smp_store_release((u64 *)dst, smp_load_acquire((const u64 *)src));
	else if (len == 4 && IS_ALIGNED(align, 4))
		/* as above */
		smp_store_release((u32 *)dst, smp_load_acquire((const u32 *)src));
	else
		memcpy(dst, src, len);
}

static void access_page(struct csf_model *m, u64 va, u64 pa, void *buf, size_t len,
			enum csf_access access)
{
	/* the direct map: KASAN knows when a page has been freed */
	void *mem = phys_to_virt(pa);

	if (is_freed(pa))
		csf_bug(m, CSF_BUG_PAGE_FREED, "VA 0x%llx: page at PA 0x%llx has been freed",
			va, pa);
	if (access == CSF_ACCESS_WRITE)
		copy(mem, buf, len);
	else
		copy(buf, mem, len);
}

static bool must_wait(const struct csf_as *as, u64 va, size_t len)
{
	return update_active(as) ||
	       (as->locked && va <= as->lock_last && va + len - 1 >= as->lock_start);
}

static void count_bytes(struct csf_model *m, unsigned int nr, size_t len, enum csf_access access)
{
	/* AS0 is the firmware's own traffic */
	if (nr)
		m->stat[access == CSF_ACCESS_WRITE ? CSF_STAT_BYTES_WRITTEN :
			CSF_STAT_BYTES_READ] += len;
}

/**
 * csf_mmu_access() - load or store through the page tables
 * @m: GPU, locked
 * @nr: address space
 * @va: GPU address
 * @buf: source or destination
 * @len: bytes; may cross pages
 * @access: kind of access
 *
 * If the access fails at a later page, the earlier ones have been accessed.
 *
 * Return: 0, -EFAULT if a fault was raised, -EAGAIN if a locked region or an
 * UPDATE is in the way (try again later).
 */
int csf_mmu_access(struct csf_model *m, unsigned int nr, u64 va, void *buf, size_t len,
		   enum csf_access access)
{
	struct csf_as *as = &m->as[nr];
	struct csf_xlate x;
	size_t n;
	u32 code;

	poll_command(m, as);
	for (; len; va += n, buf += n, len -= n) {
		n = min_t(size_t, len, CSF_PAGE_SIZE - page_offset(va));
		if (must_wait(as, va, n))
			return -EAGAIN;
		code = translate(m, as, va, access, &x);
		if (code) {
			csf_mmu_fault(m, nr, va, code, access);
			return -EFAULT;
		}
		access_page(m, va, x.pa + page_offset(va), buf, n, access);
		count_bytes(m, nr, n, access);
	}
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(csf_mmu_access);

/*
 * Registers, life cycle
 */

/**
 * csf_mmu_reg_read() - read a register of an address space
 * @m: GPU, locked
 * @nr: address space
 * @reg: register
 *
 * Return: its value.
 */
u32 csf_mmu_reg_read(struct csf_model *m, unsigned int nr, enum csf_as_reg reg)
{
	struct csf_as *as = &m->as[nr];

	if (!as_present(m, nr))
		return 0;
	if (reg == AS_STATUS) {
		poll_command(m, as);
		return as->busy;
	}
	return as->regs[reg];
}

/**
 * csf_mmu_reg_write() - write a register of an address space
 * @m: GPU, locked
 * @nr: address space
 * @reg: register
 * @val: value
 */
void csf_mmu_reg_write(struct csf_model *m, unsigned int nr, enum csf_as_reg reg, u32 val)
{
	struct csf_as *as = &m->as[nr];

	if (!as_present(m, nr))
		return;
	as->regs[reg] = val;
	if (reg == AS_COMMAND)
		start_command(m, as, val);
}

/**
 * csf_mmu_drop_tlbs() - forget all translations
 * @m: GPU, locked
 */
void csf_mmu_drop_tlbs(struct csf_model *m)
{
	unsigned int nr;

	for (nr = 0; nr < CSF_MAX_AS; nr++)
		tlb_drop_all(m, &m->as[nr]);
}

/**
 * csf_mmu_reset() - state after reset: all address spaces unmapped
 * @m: GPU, locked
 */
void csf_mmu_reset(struct csf_model *m)
{
	unsigned int nr;

	for (nr = 0; nr < CSF_MAX_AS; nr++) {
		struct csf_as *as = &m->as[nr];

		unlock_region(m, as);
		tlb_drop_all(m, as);
		*as = (struct csf_as){
			.tlb = as->tlb,
			.updates = as->updates + 1,
			.transcfg = AS_MODE_UNMAPPED,
		};
	}
}

/**
 * csf_mmu_alloc() - set the size of the TLBs
 * @m: GPU, not locked
 * @tlb_entries: per address space, at most %CSF_TLB_MAX; 0 = no TLB
 *
 * They are empty afterwards.
 *
 * Context: process.
 * Return: 0 or -ENOMEM, then nothing has changed.
 */
int csf_mmu_alloc(struct csf_model *m, unsigned int tlb_entries)
{
	struct csf_tlb_entry *mem = NULL, *old;
	unsigned long flags;
	unsigned int nr;

	if (tlb_entries) {
		mem = kvcalloc(tlb_entries * CSF_MAX_AS, sizeof(*mem), GFP_KERNEL);
		if (!mem)
			return -ENOMEM;
	}
	flags = csf_lock(m);
	old = m->as[0].tlb;
	for (nr = 0; nr < CSF_MAX_AS; nr++)
		m->as[nr].tlb = mem ? mem + nr * tlb_entries : NULL;
	m->tlb_entries = tlb_entries;
	csf_unlock(m, flags);
	kvfree(old);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(csf_mmu_alloc);

/**
 * csf_mmu_free() - release the TLBs
 * @m: GPU that nobody uses any more
 */
void csf_mmu_free(struct csf_model *m)
{
	kvfree(m->as[0].tlb);
}
