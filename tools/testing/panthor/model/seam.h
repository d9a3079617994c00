/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the seam's parts share: seam.c, and the way in that register accesses take
 * on this kernel, iomem_uml.c or iomem_trace.c.
 */
#ifndef MALI_CSF_SEAM_H
#define MALI_CSF_SEAM_H

#include <linux/clk-provider.h>
#include <linux/ioport.h>

#include "model.h"

struct device;
struct irq_domain;

/**
 * struct seam - the GPU in its guest
 * @m: the GPU
 * @res: its registers
 * @domain: interrupt controller, hwirq = enum csf_block
 * @clk: core clock
 */
struct seam {
	struct csf_model *m;
	struct resource res;
	struct irq_domain *domain;
	struct clk_hw clk;
};

int csf_iomem_prepare(struct device *dev, struct seam *seam);
int csf_iomem_start(struct device *dev, struct seam *seam);
void csf_iomem_answer(struct csf_model *m, u32 offset, u32 val);

#endif
