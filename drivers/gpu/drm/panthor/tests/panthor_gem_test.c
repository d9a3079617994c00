// SPDX-License-Identifier: GPL-2.0 or MIT

/* KUnit test suite for the lifetime, the memory and the sharing of GEM objects. */

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/iosys-map.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>

#include <kunit/resource.h>
#include <kunit/static_stub.h>

#include <drm/drm_drv.h>
#include <drm/drm_prime.h>
#include <drm/drm_print.h>
#include <drm/panthor_drm.h>

#include "panthor_kunit_helpers.h"

static int panthor_gem_test_no_dmap(struct panthor_gem_object *bo, gfp_t gfp)
{
	return -ENOMEM;
}

/*
 * Create an object. It gets no memory until somebody needs it, its size is rounded
 * up to the page size, and it isn't reclaimable.
 */
static void panthor_gem_test_create_lazy(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PAGE_SIZE + 1);

	KUNIT_EXPECT_EQ(test, bo->base.size, 2 * PAGE_SIZE);
	KUNIT_EXPECT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_NULL(test, bo->dmap.sgt);
	KUNIT_EXPECT_NULL(test, bo->cmap.vaddr);
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 0);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNRECLAIMABLE);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), 1);
}

/* Populate an object twice. The second time, there's nothing to do. */
static void panthor_gem_test_populate(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct scatterlist *sgl;
	struct sg_table *sgt;
	struct page **pages;
	size_t size = 0;
	int i;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	pages = bo->backing.pages;
	sgt = bo->dmap.sgt;
	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_NOT_NULL(test, sgt);

	for_each_sgtable_dma_sg(sgt, sgl, i)
		size += sg_dma_len(sgl);
	KUNIT_EXPECT_EQ(test, size, bo->base.size);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNUSED);

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_PTR_EQ(test, bo->backing.pages, pages);
	KUNIT_EXPECT_PTR_EQ(test, bo->dmap.sgt, sgt);
	KUNIT_EXPECT_EQ(test, atomic_read(&bo->reclaimed_count), 0);
}

/*
 * Fail to read the second page. Nothing is left behind, everyone who needs pages
 * fails, and all of that works once the pages can be read.
 */
static void panthor_gem_test_populate_fails(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct iosys_map map;

	panthor_kunit_break_storage(bo);
	KUNIT_EXPECT_GT(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_GT(test, 0, panthor_gem_pin(bo));
	KUNIT_EXPECT_GT(test, 0, drm_gem_vmap_unlocked(&bo->base, &map));
	KUNIT_EXPECT_GT(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(0)));

	KUNIT_EXPECT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_NULL(test, bo->dmap.sgt);
	KUNIT_EXPECT_NULL(test, bo->cmap.vaddr);
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 0);
	KUNIT_EXPECT_EQ(test, bo->cmap.vaddr_use_count, 0);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNRECLAIMABLE);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), 1);

	panthor_kunit_mend_storage(bo);
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(0)));
}

/* Fail to map the pages for the device. They are given back. */
static void panthor_gem_test_dmap_fails(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_gem_test_no_dmap);
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_gem_pin(bo));
	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);

	KUNIT_EXPECT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_NULL(test, bo->dmap.sgt);
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 0);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNRECLAIMABLE);

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_NOT_NULL(test, bo->dmap.sgt);
}

static int panthor_gem_test_populate_killed(struct panthor_gem_object *bo)
{
	int ret;

	sigaddset(&current->pending.signal, SIGKILL);
	recalc_sigpending();
	ret = panthor_gem_populate(bo, panthor_gem_gfp(false));
	sigdelset(&current->pending.signal, SIGKILL);
	recalc_sigpending();

	return ret;
}

/* Whoever killed a task might be waiting for its memory, so it doesn't get any more. */
static void panthor_gem_test_killed(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	KUNIT_EXPECT_EQ(test, -EINTR, panthor_gem_test_populate_killed(bo));
	KUNIT_EXPECT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_EQ(test, 0, bo->base.filp->f_mapping->nrpages);

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
}

/*
 * Populate an object from a context that mustn't enter reclaim. This doesn't leave
 * traces in the way pages are allocated later on.
 */
static void panthor_gem_test_populate_noreclaim(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	gfp_t gfp = mapping_gfp_mask(bo->base.filp->f_mapping);
	unsigned int noreclaim;
	int ret;

	noreclaim = memalloc_noreclaim_save();
	ret = panthor_kunit_populate(bo);
	memalloc_noreclaim_restore(noreclaim);

	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, (__force u32)gfp,
			(__force u32)mapping_gfp_mask(bo->base.filp->f_mapping));
}

/* Pins are counted, populate the object, and protect it until the last one is gone. */
static void panthor_gem_test_pin(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);

	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bo));
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bo));
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 2);

	panthor_gem_unpin(bo);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNRECLAIMABLE);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);

	panthor_gem_unpin(bo);
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 0);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNUSED);
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
}

static int panthor_gem_test_pin_thread(void *bo)
{
	return panthor_gem_pin(bo);
}

/* Do something with an object whose reservation is held, return when that's waited for. */
static struct task_struct *panthor_gem_test_do_later(struct kunit *test,
						     struct panthor_gem_object *bo,
						     int (*fn)(void *data), void *data)
{
	struct list_head *waiters = &bo->base.resv->lock.base.wait_list;
	struct task_struct *task;
	bool nobody;

	task = kthread_create(fn, data, "panthor-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	get_task_struct(task);
	wake_up_process(task);

	KUNIT_EXPECT_EQ(test, 0, read_poll_timeout(list_empty_careful, nobody, !nobody,
						   USEC_PER_MSEC, 60 * USEC_PER_SEC, false,
						   waiters));
	return task;
}

static struct task_struct *panthor_gem_test_pin_later(struct kunit *test,
						      struct panthor_gem_object *bo)
{
	return panthor_gem_test_do_later(test, bo, panthor_gem_test_pin_thread, bo);
}

/*
 * Pin an object that's private to a VM, whose reservation is held by somebody else.
 * The memory is looked for without the reservation, so the rest of the VM could make
 * room for it.
 */
static void panthor_gem_test_pin_ahead(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	struct task_struct *task;

	dma_resv_lock(bo->base.resv, NULL);
	task = panthor_gem_test_pin_later(test, bo);
	KUNIT_EXPECT_EQ(test, bo->base.filp->f_mapping->nrpages, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_NULL(test, bo->backing.pages);
	dma_resv_unlock(bo->base.resv);

	KUNIT_EXPECT_EQ(test, 0, kthread_stop_put(task));
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 1);
	panthor_gem_unpin(bo);
}

/* Same as above, with an object that has its pages when the reservation is free. */
static void panthor_gem_test_pin_late(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct address_space *mapping = bo->base.filp->f_mapping;
	struct task_struct *task;
	struct page **pages;
	struct folio *folio;
	int count;

	/* The first time, the pages wait for being added to the LRU. */
	dma_resv_lock(bo->base.resv, NULL);
	for (u32 i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, 0, panthor_gem_populate_locked(bo));
		folio = page_folio(bo->backing.pages[0]);
		count = folio_ref_count(folio);
		panthor_gem_depopulate(bo);
	}

	task = panthor_gem_test_pin_later(test, bo);
	KUNIT_EXPECT_EQ(test, 0, panthor_gem_populate_locked(bo));
	KUNIT_EXPECT_GT(test, folio_ref_count(folio), count);
	pages = bo->backing.pages;
	dma_resv_unlock(bo->base.resv);

	/* Nothing is left of the other pages. */
	KUNIT_EXPECT_EQ(test, 0, kthread_stop_put(task));
	KUNIT_EXPECT_PTR_EQ(test, bo->backing.pages, pages);
	KUNIT_EXPECT_PTR_EQ(test, page_folio(pages[0]), folio);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), count);
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 1);
	KUNIT_EXPECT_TRUE(test, mapping_unevictable(mapping));

	panthor_gem_unpin(bo);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_FALSE(test, mapping_unevictable(mapping));
}

/* Same again, with somebody who drops the pages after failing to get them. */
static void panthor_gem_test_pin_dropped(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct address_space *mapping = bo->base.filp->f_mapping;
	struct task_struct *task;

	dma_resv_lock(bo->base.resv, NULL);
	task = panthor_gem_test_pin_later(test, bo);
	kunit_activate_static_stub(test, panthor_gem_map_device_locked,
				   panthor_gem_test_no_dmap);
	KUNIT_EXPECT_EQ(test, -ENOMEM, panthor_gem_populate_locked(bo));
	KUNIT_EXPECT_EQ(test, mapping->nrpages, 0);
	kunit_deactivate_static_stub(test, panthor_gem_map_device_locked);
	dma_resv_unlock(bo->base.resv);

	KUNIT_EXPECT_EQ(test, 0, kthread_stop_put(task));
	KUNIT_EXPECT_EQ(test, mapping->nrpages, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_ASSERT_NOT_NULL(test, bo->backing.pages);
	KUNIT_EXPECT_PTR_EQ(test, folio_mapping(page_folio(bo->backing.pages[0])), mapping);
	panthor_gem_unpin(bo);
}

/* Returns the number of pins while the device is attached. */
static int panthor_gem_test_attach_thread(void *data)
{
	struct dma_buf *dma_buf = data;
	struct panthor_gem_object *bo = to_panthor_bo(dma_buf->priv);
	struct dma_buf_attachment *attach;
	int pin_count;

	attach = dma_buf_attach(dma_buf, bo->base.dev->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);

	pin_count = bo->backing.pin_count;
	dma_buf_detach(dma_buf, attach);
	return pin_count;
}

/* The same for what a device is attached to: others can submit while it's read from swap. */
static void panthor_gem_test_attach_ahead(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct task_struct *task;
	struct dma_buf *dma_buf;

	dma_buf = bo->base.funcs->export(&bo->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);

	dma_resv_lock(bo->base.resv, NULL);
	task = panthor_gem_test_do_later(test, bo, panthor_gem_test_attach_thread, dma_buf);
	KUNIT_EXPECT_EQ(test, bo->base.filp->f_mapping->nrpages, PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_NULL(test, bo->backing.pages);
	dma_resv_unlock(bo->base.resv);

	KUNIT_EXPECT_EQ(test, 1, kthread_stop_put(task));
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 0);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNUSED);

	dma_buf_put(dma_buf);
	flush_delayed_fput();
}

/* Kernel mappings are shared, and pin the object once. */
static void panthor_gem_test_vmap(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct iosys_map maps[2];

	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(&bo->base, &maps[0]));
	KUNIT_ASSERT_EQ(test, 0, drm_gem_vmap_unlocked(&bo->base, &maps[1]));
	KUNIT_EXPECT_PTR_EQ(test, maps[0].vaddr, maps[1].vaddr);
	KUNIT_EXPECT_EQ(test, bo->cmap.vaddr_use_count, 2);
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 1);

	drm_gem_vunmap_unlocked(&bo->base, &maps[0]);
	KUNIT_EXPECT_NOT_NULL(test, bo->cmap.vaddr);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNRECLAIMABLE);

	drm_gem_vunmap_unlocked(&bo->base, &maps[1]);
	KUNIT_EXPECT_NULL(test, bo->cmap.vaddr);
	KUNIT_EXPECT_EQ(test, bo->cmap.vaddr_use_count, 0);
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 0);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNUSED);
}

/* Fail to map an object in the kernel. That doesn't pin it. */
static void panthor_gem_test_vmap_fails(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bo));

	/* Nobody can map more memory than there is. */
	bo->base.size = (u64)PAGE_SIZE * (totalram_pages() + 1);
	KUNIT_EXPECT_EQ(test, -ENOMEM, drm_gem_vmap_unlocked(&bo->base, &map));
	bo->base.size = PANTHOR_KUNIT_BO_SIZE;

	KUNIT_EXPECT_NULL(test, bo->cmap.vaddr);
	KUNIT_EXPECT_EQ(test, bo->cmap.vaddr_use_count, 0);
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 1);
	panthor_gem_unpin(bo);
}

/* What's shown by the framebuffer file of debugfs. */
static void panthor_gem_test_print_info(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct drm_printer p;
	struct seq_file m;
	const char *text;

	panthor_kunit_seq_init(test, &m);
	p = drm_seq_file_printer(&m);
	bo->base.funcs->print_info(&p, 1, &bo->base);
	text = panthor_kunit_seq_text(&m);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\tresident=no\n\tpin_count=0\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\tmmap_count=0\n"));

	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bo));
	panthor_kunit_mmap_get(bo);
	bo->base.funcs->print_info(&p, 1, &bo->base);
	panthor_kunit_mmap_put(bo);
	panthor_gem_unpin(bo);

	text = panthor_kunit_seq_text(&m);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\tresident=yes\n\tpin_count=1\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\tvaddr_use_count=0\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\tmmap_count=1\n"));
}

/* Objects that are private to a VM can't be exported, nor mapped in another VM. */
static void panthor_gem_test_private(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test), *other = panthor_kunit_vm(test);
	struct panthor_gem_object *bo = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	struct dma_buf *dma_buf;

	KUNIT_EXPECT_PTR_EQ(test, bo->base.resv, panthor_vm_resv(vm));

	dma_buf = bo->base.funcs->export(&bo->base, 0);
	KUNIT_EXPECT_TRUE(test, IS_ERR(dma_buf));
	if (!IS_ERR(dma_buf))
		dma_buf_put(dma_buf);

	KUNIT_EXPECT_EQ(test, -EINVAL, panthor_kunit_map(other, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_NULL(test, bo->base.dma_buf);
}

/* Export an object, and import it in the same device. It's still the same object. */
static void panthor_gem_test_self_import(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;
	struct drm_gem_object *obj;
	struct dma_buf *dma_buf;

	dma_buf = bo->base.funcs->export(&bo->base, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);

	obj = panthor_drm_driver.gem_prime_import(&ctx->ptdev->base, dma_buf);
	KUNIT_EXPECT_PTR_EQ(test, obj, &bo->base);
	if (!IS_ERR(obj))
		drm_gem_object_put(obj);

	/* Exporting isn't using. */
	KUNIT_EXPECT_NULL(test, bo->backing.pages);
	dma_buf_put(dma_buf);
}

/**
 * struct panthor_gem_test_exporter - Something else than panthor that has memory
 */
struct panthor_gem_test_exporter {
	/** @page: The memory. */
	struct page *page;

	/** @maps: Number of device mappings. */
	int maps;

	/** @vmaps: Number of kernel mappings. */
	int vmaps;

	/** @released: True if nobody uses the dma-buf anymore. */
	bool released;
};

static struct sg_table *panthor_gem_test_exporter_map(struct dma_buf_attachment *attach,
						      enum dma_data_direction dir)
{
	struct panthor_gem_test_exporter *exporter = attach->dmabuf->priv;
	struct sg_table *sgt;
	int ret;

	sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);

	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret)
		goto err_free;

	sg_set_page(sgt->sgl, exporter->page, PAGE_SIZE, 0);
	ret = dma_map_sgtable(attach->dev, sgt, dir, 0);
	if (ret)
		goto err_free_table;

	exporter->maps++;
	return sgt;

err_free_table:
	sg_free_table(sgt);

err_free:
	kfree(sgt);
	return ERR_PTR(ret);
}

static void panthor_gem_test_exporter_unmap(struct dma_buf_attachment *attach,
					    struct sg_table *sgt, enum dma_data_direction dir)
{
	struct panthor_gem_test_exporter *exporter = attach->dmabuf->priv;

	exporter->maps--;
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static int panthor_gem_test_exporter_vmap(struct dma_buf *dma_buf, struct iosys_map *map)
{
	struct panthor_gem_test_exporter *exporter = dma_buf->priv;

	exporter->vmaps++;
	iosys_map_set_vaddr(map, page_address(exporter->page));
	return 0;
}

static void panthor_gem_test_exporter_vunmap(struct dma_buf *dma_buf, struct iosys_map *map)
{
	struct panthor_gem_test_exporter *exporter = dma_buf->priv;

	exporter->vmaps--;
}

static void panthor_gem_test_exporter_release(struct dma_buf *dma_buf)
{
	struct panthor_gem_test_exporter *exporter = dma_buf->priv;

	exporter->released = true;
	__free_page(exporter->page);
}

static const struct dma_buf_ops panthor_gem_test_exporter_ops = {
	.map_dma_buf = panthor_gem_test_exporter_map,
	.unmap_dma_buf = panthor_gem_test_exporter_unmap,
	.vmap = panthor_gem_test_exporter_vmap,
	.vunmap = panthor_gem_test_exporter_vunmap,
	.release = panthor_gem_test_exporter_release,
};

static struct dma_buf *panthor_gem_test_export(struct kunit *test,
					       struct panthor_gem_test_exporter *exporter)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dma_buf;

	exporter->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, exporter->page);

	info.ops = &panthor_gem_test_exporter_ops;
	info.size = PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = exporter;
	dma_buf = dma_buf_export(&info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);

	return dma_buf;
}

/*
 * Import a foreign dma-buf. It's resident, never reclaimed, and all the uses of it
 * end up at the exporter, which gets everything back in the end.
 */
static void panthor_gem_test_imported(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_test_exporter *exporter;
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo;
	struct drm_gem_object *obj;
	struct dma_buf *dma_buf;
	struct iosys_map map;

	exporter = kunit_kzalloc(test, sizeof(*exporter), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, exporter);
	dma_buf = panthor_gem_test_export(test, exporter);

	obj = panthor_drm_driver.gem_prime_import(&ctx->ptdev->base, dma_buf);
	dma_buf_put(dma_buf);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, obj);
	bo = to_panthor_bo(obj);
	KUNIT_EXPECT_TRUE(test, panthor_gem_is_imported(bo));
	KUNIT_EXPECT_TRUE(test, panthor_gem_is_resident(bo));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_evicted(bo));
	KUNIT_EXPECT_EQ(test, bo->base.size, PAGE_SIZE);

	/* The pages are not ours. */
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_NULL(test, bo->backing.pages);

	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_EQ(test, panthor_kunit_vm_translate(vm, PANTHOR_KUNIT_VA(0)),
			page_to_phys(exporter->page));

	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNRECLAIMABLE);
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(0), PAGE_SIZE));

	KUNIT_EXPECT_EQ(test, 0, drm_gem_vmap_unlocked(&bo->base, &map));
	KUNIT_EXPECT_PTR_EQ(test, map.vaddr, page_address(exporter->page));
	drm_gem_vunmap_unlocked(&bo->base, &map);
	KUNIT_EXPECT_EQ(test, exporter->vmaps, 0);
	KUNIT_EXPECT_EQ(test, exporter->maps, 1);

	KUNIT_EXPECT_EQ(test, 0, panthor_vm_unmap_range(vm, PANTHOR_KUNIT_VA(0), PAGE_SIZE));
	drm_gem_object_put(obj);

	/* Files are released by a worker when a kernel thread is done with them. */
	flush_delayed_fput();
	KUNIT_EXPECT_EQ(test, exporter->maps, 0);
	KUNIT_EXPECT_TRUE(test, exporter->released);
}

/*
 * Drop the last reference of an object in reclaim, while somebody else holds the
 * reservation. Nobody waits for anybody.
 */
static void panthor_gem_test_free_in_reclaim(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo = panthor_kunit_bo(test, vm, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit_holder *holder;
	struct panthor_kunit *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), PANTHOR_KUNIT_BO_PAGES);

	holder = panthor_kunit_hold_resv(test, panthor_vm_resv(vm));
	fs_reclaim_acquire(GFP_KERNEL);
	panthor_kunit_bo_put(test, bo);
	fs_reclaim_release(GFP_KERNEL);
	panthor_kunit_release(test, holder);

	KUNIT_EXPECT_EQ(test, panthor_kunit_count(test), SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, ctx->ptdev->reclaim.root.unused.count, 0);
}

/* An object stays there as long as it's mapped in a VM. */
static void panthor_gem_test_vm_reference(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(0)));
	panthor_kunit_bo_put(test, bo);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_EQ(test, ctx->ptdev->reclaim.nr_pages, PANTHOR_KUNIT_BO_PAGES);

	KUNIT_EXPECT_EQ(test, 0, panthor_vm_unmap_range(vm, PANTHOR_KUNIT_VA(0),
							PANTHOR_KUNIT_BO_SIZE));
	KUNIT_EXPECT_EQ(test, ctx->ptdev->reclaim.nr_pages, 0);
}

/* Objects the kernel maps in the VM of a user can be reclaimed. */
static void panthor_gem_test_kernel_bo(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_kernel_bo *kbo;

	kbo = panthor_kernel_bo_create(ctx->ptdev, vm, PANTHOR_KUNIT_BO_SIZE,
				       DRM_PANTHOR_BO_NO_MMAP,
				       DRM_PANTHOR_VM_BIND_OP_TYPE_MAP,
				       PANTHOR_VM_KERNEL_AUTO_VA, "Test");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kbo);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	panthor_kernel_bo_destroy(kbo);
	KUNIT_EXPECT_EQ(test, ctx->ptdev->reclaim.nr_pages, 0);
}

/*
 * Map objects in a VM after the device went away: one that has no pages, one whose
 * pages CPUs have asked for, one that has been there before, and one of the kernel.
 * What isn't mapped for the device is refused, and nothing is left of it.
 */
static void panthor_gem_test_unplugged(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[3];
	struct panthor_kernel_bo *kbo;

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[2]));
	panthor_kunit_unplug_device(test);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[1]));
	KUNIT_EXPECT_NULL(test, bos[1]->dmap.sgt);

	for (u32 i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, -ENODEV, panthor_kunit_map(vm, bos[i], PANTHOR_KUNIT_VA(i)));
		KUNIT_EXPECT_EQ(test, kref_read(&bos[i]->base.refcount), 1);
		KUNIT_EXPECT_EQ(test, bos[i]->backing.pin_count, 0);
		KUNIT_EXPECT_EQ(test, bos[i]->reclaim_state, PANTHOR_GEM_UNUSED);
	}
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_map(vm, bos[2], PANTHOR_KUNIT_VA(2)));
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bos[2], PANTHOR_KUNIT_VA(2)));

	kbo = panthor_kernel_bo_create(ctx->ptdev, vm, PANTHOR_KUNIT_BO_SIZE,
				       DRM_PANTHOR_BO_NO_MMAP,
				       DRM_PANTHOR_VM_BIND_OP_TYPE_MAP,
				       PANTHOR_VM_KERNEL_AUTO_VA, "Test");
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(kbo), -ENODEV);
}

static pgprot_t panthor_gem_test_pgprot(struct panthor_gem_object *bo, pgprot_t prot)
{
	struct kunit *test = kunit_get_current_test();
	struct panthor_kunit *ctx = test->priv;
	u32 *calls = ctx->priv;

	++*calls;
	return prot;
}

/*
 * Map an object in the kernel before and after the device went away. The second time,
 * there's nobody to write the pages out of the CPU caches, so they are mapped cached.
 */
static void panthor_gem_test_vmap_unplugged(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	u32 calls = 0;

	ctx->priv = &calls;
	ctx->ptdev->coherent = false;
	kunit_activate_static_stub(test, panthor_gem_pgprot, panthor_gem_test_pgprot);

	panthor_kunit_fill(test, panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE), 1);
	KUNIT_EXPECT_EQ(test, calls, 1);

	panthor_kunit_unplug_device(test);
	panthor_kunit_fill(test, panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE), 1);
	KUNIT_EXPECT_EQ(test, calls, 1);
}

/*
 * Unmap an object from a VM the GPU can't be told to forget about, and destroy the VM.
 * Nobody waits for the GPU to be reset, and nothing is released until it was: here,
 * that only happens when the test says so.
 */
static void panthor_gem_test_unflushed(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo;

	bo = panthor_kunit_mapped_bo(test, vm, PANTHOR_KUNIT_BO_SIZE, PANTHOR_KUNIT_VA(0));
	KUNIT_ASSERT_EQ(test, kref_read(&bo->base.refcount), 2);

	panthor_kunit_vm_set_as(vm, 1);
	ctx->mmu_op_ret = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, 0, panthor_vm_unmap_range(vm, PANTHOR_KUNIT_VA(0),
							PANTHOR_KUNIT_BO_SIZE));
	ctx->mmu_op_ret = 0;
	panthor_kunit_vm_set_as(vm, -1);

	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_unmapped(vm, PANTHOR_KUNIT_VA(0),
							  PANTHOR_KUNIT_BO_SIZE));
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), 2);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_NOT_NULL(test, bo->backing.pages);

	/* The address can be used again. */
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_map(vm, bo, PANTHOR_KUNIT_VA(0)));
	KUNIT_EXPECT_EQ(test, 0, panthor_vm_unmap_range(vm, PANTHOR_KUNIT_VA(0),
							PANTHOR_KUNIT_BO_SIZE));

	panthor_kunit_mmu_reset(ctx->ptdev);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), 1);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
}

#define PANTHOR_GEM_TEST_BLOCK	(8ull * SZ_2M)

/* The GPU is told about a range, and maybe doesn't answer. */
struct panthor_gem_test_flush {
	struct panthor_vm *vm;
	int ret;
	bool pts;
};

static int panthor_gem_test_flush_hook(struct panthor_device *ptdev, int as_nr, u64 iova,
				       u64 size, u32 op)
{
	struct panthor_kunit *ctx = kunit_get_current_test()->priv;
	struct panthor_gem_test_flush *flush = ctx->priv;

	flush->pts |= panthor_kunit_vm_keeps_pts(flush->vm);
	return flush->ret;
}

/*
 * A page table that's not needed any more isn't used for anything else before the GPU was
 * told, or reset.
 */
static void panthor_gem_test_unused_page_table(struct kunit *test)
{
	struct panthor_gem_test_flush flush = { .vm = panthor_kunit_vm(test) };
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, SZ_2M);
	struct panthor_kunit *ctx = test->priv;

	ctx->priv = &flush;
	kunit_activate_static_stub(test, mmu_hw_do_operation_locked, panthor_gem_test_flush_hook);
	panthor_kunit_vm_set_as(flush.vm, 1);
	for (u32 i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(flush.vm, bo, PANTHOR_GEM_TEST_BLOCK));
		KUNIT_EXPECT_FALSE(test, panthor_kunit_vm_keeps_pts(flush.vm));

		flush.pts = false;
		flush.ret = i ? -ETIMEDOUT : 0;
		KUNIT_EXPECT_EQ(test, 0, panthor_vm_unmap_range(flush.vm, PANTHOR_GEM_TEST_BLOCK,
								SZ_2M));
		KUNIT_EXPECT_TRUE(test, flush.pts);
		KUNIT_EXPECT_EQ(test, panthor_kunit_vm_keeps_pts(flush.vm), !!i);
	}

	flush.ret = 0;
	panthor_kunit_mmu_reset(ctx->ptdev);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(flush.vm, bo, PANTHOR_GEM_TEST_BLOCK));
	KUNIT_EXPECT_FALSE(test, panthor_kunit_vm_keeps_pts(flush.vm));

	/* The same if it's evicted. */
	flush.pts = false;
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), SZ_2M / PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, flush.pts);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_vm_keeps_pts(flush.vm));
	panthor_kunit_vm_set_as(flush.vm, -1);
}

/* The same goes for the page tables of a VM that's destroyed. */
static void panthor_gem_test_unflushed_vm(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	u64 half = 1ull << 47;
	struct panthor_vm *vm;

	vm = panthor_vm_create(ctx->ptdev, false, half, half, half, half);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm);

	panthor_kunit_vm_set_as(vm, 1);
	ctx->mmu_op_ret = -ETIMEDOUT;
	panthor_vm_flush_all(vm);
	ctx->mmu_op_ret = 0;
	panthor_kunit_vm_set_as(vm, -1);

	panthor_vm_put(vm);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_mmu_keeps_vms(ctx->ptdev));
	panthor_kunit_mmu_reset(ctx->ptdev);
	KUNIT_EXPECT_FALSE(test, panthor_kunit_mmu_keeps_vms(ctx->ptdev));
}

static void panthor_gem_test_put_mcu_vm(void *vm)
{
	panthor_vm_put(vm);
}

/* Objects of the firmware are pinned for their whole life. */
static void panthor_gem_test_fw_bo(struct kunit *test)
{
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo;
	struct panthor_kernel_bo *kbo;
	struct panthor_vm *vm;

	vm = panthor_vm_create(ctx->ptdev, true, 0, SZ_4G, SZ_64M, SZ_64M);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, panthor_gem_test_put_mcu_vm,
							   vm));

	kbo = panthor_kernel_bo_create(ctx->ptdev, vm, PANTHOR_KUNIT_BO_SIZE,
				       DRM_PANTHOR_BO_NO_MMAP,
				       DRM_PANTHOR_VM_BIND_OP_TYPE_MAP,
				       PANTHOR_VM_KERNEL_AUTO_VA, "Test");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kbo);
	bo = to_panthor_bo(kbo->obj);
	KUNIT_EXPECT_EQ(test, bo->backing.pin_count, 1);
	KUNIT_EXPECT_EQ(test, bo->reclaim_state, PANTHOR_GEM_UNRECLAIMABLE);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), SHRINK_STOP);
	KUNIT_EXPECT_TRUE(test, panthor_kunit_is_mapped(vm, bo, panthor_kernel_bo_gpuva(kbo)));
	panthor_kernel_bo_destroy(kbo);
}

static struct kunit_case panthor_gem_tests[] = {
	KUNIT_CASE(panthor_gem_test_create_lazy),
	KUNIT_CASE(panthor_gem_test_populate),
	KUNIT_CASE(panthor_gem_test_populate_fails),
	KUNIT_CASE(panthor_gem_test_dmap_fails),
	KUNIT_CASE(panthor_gem_test_killed),
	KUNIT_CASE(panthor_gem_test_populate_noreclaim),
	KUNIT_CASE(panthor_gem_test_pin),
	KUNIT_CASE(panthor_gem_test_pin_ahead),
	KUNIT_CASE(panthor_gem_test_pin_late),
	KUNIT_CASE(panthor_gem_test_pin_dropped),
	KUNIT_CASE(panthor_gem_test_attach_ahead),
	KUNIT_CASE(panthor_gem_test_vmap),
	KUNIT_CASE(panthor_gem_test_vmap_fails),
	KUNIT_CASE(panthor_gem_test_print_info),
	KUNIT_CASE(panthor_gem_test_private),
	KUNIT_CASE(panthor_gem_test_self_import),
	KUNIT_CASE(panthor_gem_test_imported),
	KUNIT_CASE(panthor_gem_test_free_in_reclaim),
	KUNIT_CASE(panthor_gem_test_vm_reference),
	KUNIT_CASE(panthor_gem_test_kernel_bo),
	KUNIT_CASE(panthor_gem_test_unplugged),
	KUNIT_CASE(panthor_gem_test_vmap_unplugged),
	KUNIT_CASE(panthor_gem_test_unflushed),
	KUNIT_CASE(panthor_gem_test_unused_page_table),
	KUNIT_CASE(panthor_gem_test_unflushed_vm),
	KUNIT_CASE(panthor_gem_test_fw_bo),
	{}
};

static struct kunit_suite panthor_gem_test_suite = {
	.name = "panthor_gem",
	.init = panthor_kunit_init,
	.test_cases = panthor_gem_tests,
};

kunit_test_suite(panthor_gem_test_suite);
