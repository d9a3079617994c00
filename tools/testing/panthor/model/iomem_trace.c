// SPDX-License-Identifier: GPL-2.0
/*
 * The way in on kernels that trace MMIO (CONFIG_TRACE_MMIO_ACCESS, which is arm64's).
 *
 * The registers are RAM that the device tree reserves with no-map. A probe of
 * tracepoint rwmmio_read stores a register's value there just before the driver
 * loads it, one of rwmmio_post_write takes what the driver has just stored. The
 * driver is what boards have: nothing of it is changed or built in another way.
 *
 * Probes run wherever drivers access registers: in hard interrupts, with locks held.
 */
#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#ifndef CONFIG_TRACE_MMIO_ACCESS
#error "a kernel with CONFIG_TRACE_MMIO_ACCESS is needed: no other lets the model see accesses"
#endif
#include <trace/events/rwmmio.h>

#include "model.h"
#include "seam.h"

/* Stands in for the registers. (volatile, below, is how the tracepoints have it) */
static void __iomem *ram;

/*
 * Whether an access is one to the GPU. All MMIO of the machine comes by, also that of
 * consoles, within the model's own messages: nothing may be locked here.
 */
static bool seam_offset(const struct seam *seam, const volatile void __iomem *addr, u32 *offset)
{
	const void *va = (const void __force *)addr;
	struct page *page;
	phys_addr_t pa;

	page = is_vmalloc_addr(va) ? vmalloc_to_page(va) : NULL;
	if (!page)
		return false;
	pa = page_to_phys(page) + offset_in_page(va);
	if (pa < seam->res.start || pa > seam->res.end)
		return false;
	*offset = pa - seam->res.start;
	return true;
}

static bool good_access(struct csf_model *m, u32 offset, u8 width)
{
	if (width == 32 && IS_ALIGNED(offset, 4))
		return true;
	csf_reg_bad_size(m, offset, width / 8);
	return false;
}

static void seam_read(void *data, unsigned long caller, unsigned long caller0, u8 width,
		      const volatile void __iomem *addr)
{
	struct seam *seam = data;
	ktime_t start;
	u32 offset;

	if (!seam_offset(seam, addr, &offset) || !good_access(seam->m, offset, width))
		return;
	start = ktime_get();
	csf_reg_read(seam->m, offset);
	csf_trap_done(seam->m, start);
}

static void seam_write(void *data, unsigned long caller, unsigned long caller0, u64 val, u8 width,
		       volatile void __iomem *addr)
{
	struct seam *seam = data;
	ktime_t start;
	u32 offset;

	if (!seam_offset(seam, addr, &offset) || !good_access(seam->m, offset, width))
		return;
	start = ktime_get();
	csf_reg_write(seam->m, offset, val);
	csf_trap_done(seam->m, start);
}

/**
 * csf_iomem_answer() - a register has been read
 * @m: GPU, locked
 * @offset: of the register
 * @val: its value, which the driver is about to load
 *
 * Stored with the model locked: two CPUs may read one register, and what is stored
 * last must be what was read last, or one of them would see a value from before its
 * own accesses.
 */
void csf_iomem_answer(struct csf_model *m, u32 offset, u32 val)
{
	/* the model keeps this one up to date by itself, for user space */
	if (offset != CSF_FLUSH_ID_OFFSET)
		__raw_writel((u32 __force)cpu_to_le32(val), ram + offset);
}

/**
 * csf_iomem_prepare() - memory behind the registers
 * @dev: the model
 * @seam: with the GPU and its resource
 *
 * Return: 0 or negative errno.
 */
int csf_iomem_prepare(struct device *dev, struct seam *seam)
{
	if (!pfn_valid(PHYS_PFN(seam->res.start)))
		return dev_err_probe(dev, -EINVAL, "%pR is not RAM\n", &seam->res);
	ram = devm_ioremap(dev, seam->res.start, resource_size(&seam->res));
	if (!ram)
		return dev_err_probe(dev, -ENOMEM, "%pR: reserve it with no-map\n", &seam->res);
	memset_io(ram, 0, resource_size(&seam->res));
	seam->m->flush_page = (u32 __force *)(ram + CSF_FLUSH_ID_OFFSET);
	return 0;
}

/**
 * csf_iomem_start() - let register accesses in
 * @dev: the model
 * @seam: whose GPU has been started
 *
 * Return: 0 or negative errno.
 */
int csf_iomem_start(struct device *dev, struct seam *seam)
{
	int ret = register_trace_rwmmio_read(seam_read, seam);

	if (ret)
		return ret;
	ret = register_trace_rwmmio_post_write(seam_write, seam);
	if (!ret)
		return 0;
	unregister_trace_rwmmio_read(seam_read, seam);
	tracepoint_synchronize_unregister();
	return ret;
}
