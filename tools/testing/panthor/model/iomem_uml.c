// SPDX-License-Identifier: GPL-2.0
/*
 * The way in on User-Mode Linux: register accesses of any driver arrive through
 * lib/logic_iomem.c, which has no way to take a region back.
 */
#include <linux/device.h>
#include <linux/io.h>
#include <linux/logic_iomem.h>
#include <linux/mm.h>

#include "model.h"
#include "seam.h"

/* There is one: region operations get no private pointer */
static struct seam *the_seam;

static unsigned long seam_read(void *priv, unsigned int offset, int size)
{
	struct csf_model *m = priv;

	if (size != 4 || offset % 4) {
		csf_reg_bad_size(m, offset, size);
		return 0;
	}
	return csf_reg_read(m, offset);
}

static void seam_write(void *priv, unsigned int offset, int size, unsigned long val)
{
	struct csf_model *m = priv;

	if (size != 4 || offset % 4)
		csf_reg_bad_size(m, offset, size);
	else
		csf_reg_write(m, offset, val);
}

static const struct logic_iomem_ops seam_iomem_ops = {
	.read = seam_read,
	.write = seam_write,
};

static long seam_map(unsigned long offset, size_t size, const struct logic_iomem_ops **ops,
		     void **priv)
{
	*ops = &seam_iomem_ops;
	*priv = the_seam->m;
	return offset;
}

static const struct logic_iomem_region_ops seam_region_ops = {
	.map = seam_map,
};

/**
 * csf_iomem_answer() - a register has been read
 * @m: GPU, locked
 * @offset: of the register
 * @val: its value
 *
 * Here, the trap itself returns the value.
 */
void csf_iomem_answer(struct csf_model *m, u32 offset, u32 val)
{
}

/**
 * csf_iomem_prepare() - memory behind the registers
 * @dev: the model
 * @seam: with the GPU and its resource
 *
 * User space may map LATEST_FLUSH_ID, and UML can map nothing but RAM. So the
 * registers are given addresses of RAM that the device tree reserves.
 *
 * Return: 0 or negative errno.
 */
int csf_iomem_prepare(struct device *dev, struct seam *seam)
{
	phys_addr_t pa = seam->res.start + CSF_FLUSH_ID_OFFSET;

	if (!pfn_valid(PHYS_PFN(pa))) {
		dev_info(dev, "%pR is not RAM: don't map LATEST_FLUSH_ID to user space\n",
			 &seam->res);
		return 0;
	}
	if (!PageReserved(pfn_to_page(PHYS_PFN(pa))))
		return dev_err_probe(dev, -EBUSY,
				     "%pR is RAM in use: reserve it by /reserved-memory\n",
				     &seam->res);
	seam->m->flush_page = memset(phys_to_virt(pa), 0, PAGE_SIZE);
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
	int ret;

	the_seam = seam;
	ret = logic_iomem_add_region(&seam->res, &seam_region_ops);
	if (ret) {
		the_seam = NULL;
		return dev_err_probe(dev, ret, "%pR is taken\n", &seam->res);
	}
	return 0;
}
