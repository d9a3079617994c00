// SPDX-License-Identifier: GPL-2.0
/*
 * The software Mali CSF GPU in its guest: device tree node, clock, interrupt
 * domain. How register accesses get here is the business of iomem_uml.c or
 * iomem_trace.c.
 *
 * The model's device tree node is interrupt controller and clock of the GPU
 * node, so the GPU can't probe before the model is there. Nothing takes the way
 * in back: once it is there, the module stays.
 */
#define pr_fmt(fmt) "mali_csf_model: " fmt

#include <linux/bottom_half.h>
#include <linux/clk-provider.h>
#include <linux/cpumask.h>
#include <linux/hardirq.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqdomain.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/platform_device.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "model.h"
#include "seam.h"

static char *variant = "g610";
module_param(variant, charp, 0444);
MODULE_PARM_DESC(variant, "GPU to be: g610 (default), g710, g310, g720");

static unsigned int tlb_entries = CSF_TLB_DEFAULT;
module_param(tlb_entries, uint, 0444);
MODULE_PARM_DESC(tlb_entries, "TLB entries per address space, 0 to 65536, 0 = no TLB (default 4096)");

static bool have_gpu;

/* What has become of the device tree node, for the loader of the module */
static int seam_status = -ENODEV;

/*
 * Interrupts
 */

static int seam_irq_map(struct irq_domain *domain, unsigned int virq, irq_hw_number_t hwirq)
{
	irq_set_chip_and_handler(virq, &dummy_irq_chip, handle_simple_irq);
	return 0;
}

static const struct irq_domain_ops seam_irq_ops = {
	.map = seam_irq_map,
	.xlate = irq_domain_xlate_onecell,
};

static void handle_irq(void *data)
{
	const unsigned int *virq = data;
	bool here = !in_hardirq();

	/* on this thread's own CPU: as if the interrupt had hit the thread */
	if (here)
		__irq_enter_raw();
	generic_handle_irq(*virq);
	if (here)
		__irq_exit_raw();
}

static void handle_irq_here(unsigned int *virq)
{
	local_irq_disable();
	handle_irq(virq);
	local_irq_enable();
}

/*
 * Interrupts hit any CPU, whatever that is doing. Returns when the handlers have
 * returned: hardirq context there, then softirqs.
 */
static void seam_raise_irq(struct csf_model *m, enum csf_block block)
{
	struct seam *seam = m->seam_priv;
	unsigned int virq = irq_find_mapping(seam->domain, block);
	unsigned int cpu;

	if (!virq)
		return;
	local_bh_disable();
	cpu = cpumask_nth(get_random_u32_below(num_online_cpus()), cpu_online_mask);
	if (cpu >= nr_cpu_ids || smp_call_function_single(cpu, handle_irq, &virq, true))
		handle_irq_here(&virq);
	local_bh_enable();
}

static const struct csf_seam_ops seam_ops = {
	.raise_irq = seam_raise_irq,
	.answer = csf_iomem_answer,
};

static void seam_remove_domain(void *data)
{
	irq_domain_remove(data);
}

static int seam_add_domain(struct device *dev, struct seam *seam)
{
	seam->domain = irq_domain_create_linear(of_fwnode_handle(dev->of_node), CSF_NUM_BLOCKS,
						&seam_irq_ops, NULL);
	if (!seam->domain)
		return -ENOMEM;
	return devm_add_action_or_reset(dev, seam_remove_domain, seam->domain);
}

/*
 * Clock. Enabled and disabled with a spinlock held, so it is where the model
 * learns about power.
 */

static struct seam *clk_to_seam(struct clk_hw *hw)
{
	return container_of(hw, struct seam, clk);
}

static int seam_clk_enable(struct clk_hw *hw)
{
	csf_core_clock(clk_to_seam(hw)->m, true);
	return 0;
}

static void seam_clk_disable(struct clk_hw *hw)
{
	csf_core_clock(clk_to_seam(hw)->m, false);
}

static unsigned long seam_clk_recalc_rate(struct clk_hw *hw, unsigned long parent_rate)
{
	return READ_ONCE(clk_to_seam(hw)->m->clock_hz);
}

static int seam_clk_determine_rate(struct clk_hw *hw, struct clk_rate_request *req)
{
	return 0;	/* any rate will do */
}

static int seam_clk_set_rate(struct clk_hw *hw, unsigned long rate, unsigned long parent_rate)
{
	WRITE_ONCE(clk_to_seam(hw)->m->clock_hz, rate);
	return 0;
}

static const struct clk_ops seam_clk_ops = {
	.enable = seam_clk_enable,
	.disable = seam_clk_disable,
	.recalc_rate = seam_clk_recalc_rate,
	.determine_rate = seam_clk_determine_rate,
	.set_rate = seam_clk_set_rate,
};

static int seam_add_clock(struct device *dev, struct seam *seam)
{
	struct clk_init_data init = {
		.name = "mali_csf_model",
		.ops = &seam_clk_ops,
		.flags = CLK_GET_RATE_NOCACHE,
	};
	int ret;

	seam->clk.init = &init;
	ret = devm_clk_hw_register(dev, &seam->clk);
	if (ret)
		return ret;
	return devm_of_clk_add_hw_provider(dev, of_clk_hw_simple_get, &seam->clk);
}

/*
 * Platform driver of the model's node
 */

static int seam_parse(struct device *dev, struct seam *seam, bool *coherent)
{
	struct device_node *gpu = of_parse_phandle(dev->of_node, "gpu", 0);
	int ret;

	if (!gpu)
		return dev_err_probe(dev, -EINVAL, "no phandle 'gpu'\n");
	ret = of_address_to_resource(gpu, 0, &seam->res);
	*coherent = of_dma_is_coherent(gpu);
	of_node_put(gpu);
	if (ret)
		return dev_err_probe(dev, ret, "the GPU node has no usable 'reg'\n");
	if (resource_size(&seam->res) != CSF_REGION_SIZE)
		return dev_err_probe(dev, -EINVAL, "the GPU has %pR, not 0x%x bytes\n",
				     &seam->res, CSF_REGION_SIZE);
	seam->res.name = "mali_csf_model";
	return 0;
}

static void seam_destroy_model(void *data)
{
	csf_model_destroy(data);
}

static void seam_stop_model(void *data)
{
	csf_debugfs_exit(data);
	csf_model_stop(data);
}

static int seam_create_model(struct device *dev, struct seam *seam, bool coherent)
{
	const struct csf_variant *v = csf_variant_find(variant);

	if (!v)
		return -EINVAL;
	if (tlb_entries > CSF_TLB_MAX)
		return dev_err_probe(dev, -EINVAL, "tlb_entries=%u, at most %u\n",
				     tlb_entries, CSF_TLB_MAX);
	seam->m = csf_model_create(v, coherent, tlb_entries);
	if (!seam->m)
		return -ENOMEM;
	seam->m->seam = &seam_ops;
	seam->m->seam_priv = seam;
	return devm_add_action_or_reset(dev, seam_destroy_model, seam->m);
}

static int seam_start_model(struct device *dev, struct seam *seam)
{
	int ret = csf_model_start(seam->m);

	if (ret)
		return ret;
	csf_debugfs_init(seam->m);
	return devm_add_action_or_reset(dev, seam_stop_model, seam->m);
}

static int seam_bring_up(struct device *dev, struct seam *seam)
{
	bool coherent;
	int ret;

	ret = seam_parse(dev, seam, &coherent);
	ret = ret ?: seam_create_model(dev, seam, coherent);
	ret = ret ?: csf_iomem_prepare(dev, seam);
	ret = ret ?: seam_add_domain(dev, seam);
	ret = ret ?: seam_add_clock(dev, seam);
	ret = ret ?: seam_start_model(dev, seam);
	/* the last step, since it isn't undone */
	ret = ret ?: csf_iomem_start(dev, seam);
	if (ret)
		return ret;
	have_gpu = true;
	__module_get(THIS_MODULE);
	dev_info(dev, "%s, %s firmware, %scoherent, at %pR\n", seam->m->variant->name,
		 seam->m->variant->arch, coherent ? "" : "non-", &seam->res);
	return 0;
}

static int seam_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct seam *seam;

	if (have_gpu)
		return dev_err_probe(dev, -EBUSY, "there can be only one GPU\n");
	seam = devm_kzalloc(dev, sizeof(*seam), GFP_KERNEL);
	seam_status = seam ? seam_bring_up(dev, seam) : -ENOMEM;
	return seam_status;
}

static const struct of_device_id seam_of_match[] = {
	{ .compatible = "mali-csf-model" },
	{}
};
MODULE_DEVICE_TABLE(of, seam_of_match);

static struct platform_driver seam_driver = {
	.probe = seam_probe,
	.driver = {
		.name = "mali_csf_model",
		.of_match_table = seam_of_match,
		.suppress_bind_attrs = true,
	},
};

/**
 * csf_seam_register() - bring up the GPU of the device tree
 *
 * Return: 0 or negative errno.
 */
int csf_seam_register(void)
{
	int ret = platform_driver_register(&seam_driver);

	if (ret || have_gpu)
		return ret;
	/* any other reason has been printed */
	if (seam_status == -ENODEV)
		pr_err("no device tree node compatible with mali-csf-model\n");
	platform_driver_unregister(&seam_driver);
	return seam_status;
}

/**
 * csf_seam_unregister() - undo csf_seam_register()
 *
 * Never called once a GPU exists: then the module can't be removed.
 */
void csf_seam_unregister(void)
{
	platform_driver_unregister(&seam_driver);
}
