// SPDX-License-Identifier: GPL-2.0 or MIT

/* KUnit test suite for what's shown about memory in fdinfo and in debugfs. */

#include <linux/file.h>
#include <linux/seq_file.h>

#include <drm/drm_debugfs.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_print.h>
#include <drm/panthor_drm.h>

#include "panthor_kunit_helpers.h"

#define SIZE_KIB	(PANTHOR_KUNIT_BO_SIZE / SZ_1K)

/* fdinfo is checked in units of an object. */
#define EXPECT_FDINFO(test, file, key, count) do { \
	struct kunit *__test = (test); \
\
	KUNIT_EXPECT_EQ(__test, panthor_stats_test_fdinfo(__test, file, key), \
			(u64)(count) * SIZE_KIB); \
} while (0)

/* The status changes along with the memory, and remembers evictions. */
static void panthor_stats_test_status(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	enum drm_gem_object_status (*status)(struct drm_gem_object *obj) =
		bo->base.funcs->status;

	KUNIT_EXPECT_EQ(test, status(&bo->base), 0);
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, status(&bo->base), DRM_GEM_OBJECT_RESIDENT);
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	KUNIT_EXPECT_EQ(test, status(&bo->base), DRM_GEM_OBJECT_EVICTED);
	KUNIT_EXPECT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_EXPECT_EQ(test, status(&bo->base), DRM_GEM_OBJECT_RESIDENT);
}

/* Get a value from fdinfo, in KiB. U64_MAX if the key isn't there exactly once. */
static u64 panthor_stats_test_fdinfo(struct kunit *test, struct file *file, const char *key)
{
	const char *text, *line;
	struct drm_printer p;
	u64 value = U64_MAX;
	struct seq_file m;
	char unit[8] = "";

	panthor_kunit_seq_init(test, &m);
	p = drm_seq_file_printer(&m);
	panthor_drm_driver.show_fdinfo(&p, file->private_data);
	text = panthor_kunit_seq_text(&m);

	line = strstr(text, key);
	if (!line || strstr(line + 1, key) || (line != text && line[-1] != '\n'))
		return U64_MAX;

	/* There's no unit if the value is zero. */
	if (sscanf(line + strlen(key), ":%llu%7s", &value, unit) < 1)
		return U64_MAX;

	return !value || !strcmp(unit, "KiB") ? value : U64_MAX;
}

/* All keys are there, and zero, when there's nothing to report. */
static void panthor_stats_test_fdinfo_empty(struct kunit *test)
{
	struct file *file = panthor_kunit_open(test);

	EXPECT_FDINFO(test, file, "drm-total-memory", 0);
	EXPECT_FDINFO(test, file, "drm-shared-memory", 0);
	EXPECT_FDINFO(test, file, "drm-resident-memory", 0);
	EXPECT_FDINFO(test, file, "drm-evicted-memory", 0);
	EXPECT_FDINFO(test, file, "panthor-resident-memory", 0);
	EXPECT_FDINFO(test, file, "panthor-evicted-memory", 0);
}

/* Follow three objects through their life. */
static void panthor_stats_test_fdinfo_life(struct kunit *test)
{
	struct file *file = panthor_kunit_open(test);
	struct panthor_gem_object *bos[3];
	u32 handles[3];

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_bo_with_handle(test, file, NULL, PANTHOR_KUNIT_BO_SIZE,
						      &handles[i]);
	EXPECT_FDINFO(test, file, "drm-total-memory", 3);
	EXPECT_FDINFO(test, file, "drm-resident-memory", 0);
	EXPECT_FDINFO(test, file, "drm-evicted-memory", 0);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[0]));
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bos[1]));
	EXPECT_FDINFO(test, file, "drm-resident-memory", 2);
	EXPECT_FDINFO(test, file, "drm-evicted-memory", 0);

	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	EXPECT_FDINFO(test, file, "drm-total-memory", 3);
	EXPECT_FDINFO(test, file, "drm-resident-memory", 1);
	EXPECT_FDINFO(test, file, "drm-evicted-memory", 1);

	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[0]));
	EXPECT_FDINFO(test, file, "drm-resident-memory", 2);
	EXPECT_FDINFO(test, file, "drm-evicted-memory", 0);

	panthor_gem_unpin(bos[1]);
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		KUNIT_EXPECT_EQ(test, 0, drm_gem_handle_delete(file->private_data, handles[i]));
	EXPECT_FDINFO(test, file, "drm-total-memory", 0);
	EXPECT_FDINFO(test, file, "drm-resident-memory", 0);
}

/* Everyone with a handle gets to see the object, and that it's shared. */
static void panthor_stats_test_fdinfo_shared(struct kunit *test)
{
	struct file *files[2] = { panthor_kunit_open(test), panthor_kunit_open(test) };
	struct panthor_gem_object *bo;
	u32 handle;

	bo = panthor_kunit_bo_with_handle(test, files[0], NULL, PANTHOR_KUNIT_BO_SIZE, &handle);
	EXPECT_FDINFO(test, files[0], "drm-shared-memory", 0);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_handle_create(files[1]->private_data, &bo->base,
						       &handle));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bo));
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), PANTHOR_KUNIT_BO_PAGES);
	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		EXPECT_FDINFO(test, files[i], "drm-total-memory", 1);
		EXPECT_FDINFO(test, files[i], "drm-shared-memory", 1);
		EXPECT_FDINFO(test, files[i], "drm-evicted-memory", 1);
	}
}

/*
 * Map an object in both VMs of a file, and close its handle. It's accounted once,
 * in the keys of the driver, as long as one of these VMs maps it.
 */
static void panthor_stats_test_fdinfo_no_handle(struct kunit *test)
{
	struct file *file = panthor_kunit_open(test);
	struct drm_file *drm_file = file->private_data;
	struct panthor_file *pfile = drm_file->driver_priv;
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bo;
	struct panthor_vm *vms[2];
	u32 handle;

	bo = panthor_kunit_bo_with_handle(test, file, NULL, PANTHOR_KUNIT_BO_SIZE, &handle);
	for (u32 i = 0; i < ARRAY_SIZE(vms); i++) {
		struct drm_panthor_vm_create args = {};
		int id = panthor_vm_pool_create_vm(ctx->ptdev, pfile->vms, &args);

		KUNIT_ASSERT_GT(test, id, 0);
		vms[i] = panthor_vm_pool_get_vm(pfile->vms, id);
		KUNIT_ASSERT_NOT_NULL(test, vms[i]);

		/* The file keeps it. */
		panthor_vm_put(vms[i]);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[i], bo, PANTHOR_KUNIT_VA(0)));
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[i], bo, PANTHOR_KUNIT_VA(1)));
	}

	EXPECT_FDINFO(test, file, "drm-resident-memory", 1);
	EXPECT_FDINFO(test, file, "panthor-resident-memory", 0);

	KUNIT_ASSERT_EQ(test, 0, drm_gem_handle_delete(drm_file, handle));
	EXPECT_FDINFO(test, file, "drm-resident-memory", 0);
	EXPECT_FDINFO(test, file, "panthor-resident-memory", 1);

	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL),
			PANTHOR_KUNIT_BO_PAGES);
	EXPECT_FDINFO(test, file, "panthor-resident-memory", 0);
	EXPECT_FDINFO(test, file, "panthor-evicted-memory", 1);
	EXPECT_FDINFO(test, file, "drm-evicted-memory", 0);

	for (u32 i = 0; i < ARRAY_SIZE(vms); i++) {
		EXPECT_FDINFO(test, file, "panthor-evicted-memory", 1);
		KUNIT_ASSERT_EQ(test, 0, panthor_vm_unmap_range(vms[i], PANTHOR_KUNIT_VA(0),
								2 * SZ_1M));
	}
	EXPECT_FDINFO(test, file, "panthor-evicted-memory", 0);
}

static const char *panthor_stats_test_debugfs(struct kunit *test,
					      int (*show)(struct seq_file *m, void *arg))
{
	struct panthor_kunit *ctx = test->priv;
	struct drm_info_node node = { .minor = ctx->ptdev->base.render };
	struct seq_file m;

	panthor_kunit_seq_init(test, &m);
	m.private = &node;
	KUNIT_EXPECT_EQ(test, 0, show(&m, NULL));

	return panthor_kunit_seq_text(&m);
}

static void __printf(3, 4)
panthor_stats_test_expect_line(struct kunit *test, const char *text, const char *fmt, ...)
{
	char line[256];
	va_list args;

	va_start(args, fmt);
	vscnprintf(line, sizeof(line), fmt, args);
	va_end(args);

	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, line), "no \"%s\" in\n%s", line, text);
}

/* The columns of the gems file, padded to their width. */
static void panthor_stats_test_expect_gem(struct kunit *test, const char *text,
					  struct panthor_gem_object *bo, int evictions,
					  size_t resident, u32 state, u32 usage,
					  const char *label)
{
	char creator[33], offset[24], flags[2][16];

	scnprintf(creator, sizeof(creator), "%s/%d", current->group_leader->comm,
		  current->tgid);
	scnprintf(offset, sizeof(offset), "0x%llx", drm_vma_node_offset_addr(&bo->base.vma_node));
	scnprintf(flags[0], sizeof(flags[0]), "0x%x", state);
	scnprintf(flags[1], sizeof(flags[1]), "0x%x", usage);
	panthor_stats_test_expect_line(test, text,
				       "\n%-32s%-16d%-11u%-11d%-16zu%-16zu%-19s%-11s%-11s%s\n",
				       creator, bo->base.name, kref_read(&bo->base.refcount),
				       evictions, bo->base.size, resident, offset, flags[0],
				       flags[1], label);
}

/* With no object, there's a legend, a header, and totals. */
static void panthor_stats_test_gems_empty(struct kunit *test)
{
	const char *text = panthor_stats_test_debugfs(test, panthor_gem_debugfs_show);

	KUNIT_EXPECT_STREQ(test, text,
			   "GEM state flags: imported (0x1), exported (0x2), evicted (0x4)\n"
			   "GEM usage flags: kernel (0x1), fw-mapped (0x2)\n"
			   "created-by                      global-name     refcount   evictions  size            resident-size   file-offset        state      usage      label\n"
			   "Total size: 0, Total resident: 0, Total reclaimable: 0\n");
}

/* There's one line per object, and totals. */
static void panthor_stats_test_gems(struct kunit *test)
{
	struct panthor_vm *vm = panthor_kunit_vm(test);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_gem_object *bos[4];
	struct panthor_kernel_bo *kbo;
	struct dma_buf *dma_buf;
	const char *text;

	/* Evicted twice, never backed, pinned and exported, reclaimable. */
	for (u32 i = 0; i < ARRAY_SIZE(bos); i++)
		bos[i] = panthor_kunit_bo(test, NULL, (i + 1) * PAGE_SIZE);
	for (u32 i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[0]));
		KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), 1);
	}
	KUNIT_ASSERT_EQ(test, 0, panthor_gem_pin(bos[2]));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[3]));

	dma_buf = bos[2]->base.funcs->export(&bos[2]->base, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dma_buf);
	bos[2]->base.dma_buf = dma_buf;

	kbo = panthor_kernel_bo_create(ctx->ptdev, vm, 8 * PAGE_SIZE, DRM_PANTHOR_BO_NO_MMAP,
				       DRM_PANTHOR_VM_BIND_OP_TYPE_MAP,
				       PANTHOR_VM_KERNEL_AUTO_VA, "A label");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kbo);

	text = panthor_stats_test_debugfs(test, panthor_gem_debugfs_show);
	panthor_stats_test_expect_gem(test, text, bos[0], 2, 0, 0x4, 0, "");
	panthor_stats_test_expect_gem(test, text, bos[1], 0, 0, 0, 0, "");
	panthor_stats_test_expect_gem(test, text, bos[2], 0, bos[2]->base.size, 0x2, 0, "");
	panthor_stats_test_expect_gem(test, text, bos[3], 0, bos[3]->base.size, 0, 0, "");
	panthor_stats_test_expect_gem(test, text, to_panthor_bo(kbo->obj), 0, kbo->obj->size, 0,
				      0x1, "A label");
	panthor_stats_test_expect_line(test, text,
				       "\nTotal size: %lu, Total resident: %lu, Total reclaimable: %lu\n",
				       18 * PAGE_SIZE, 15 * PAGE_SIZE, 12 * PAGE_SIZE);

	panthor_kernel_bo_destroy(kbo);
	bos[2]->base.dma_buf = NULL;
	dma_buf_put(dma_buf);
	panthor_gem_unpin(bos[2]);
}

/* Nobody has to wait because the file is being read, and the other way around. */
static void panthor_stats_test_gems_lockless(struct kunit *test)
{
	struct panthor_gem_object *bo = panthor_kunit_bo(test, NULL, PANTHOR_KUNIT_BO_SIZE);
	struct panthor_kunit *ctx = test->priv;
	struct panthor_kunit_holder *holders[3];
	const char *text;

	holders[0] = panthor_kunit_hold_resv(test, bo->base.resv);
	holders[1] = panthor_kunit_hold_mutex(test, &bo->gpuva_list_lock);
	holders[2] = panthor_kunit_hold_mutex(test, &ctx->ptdev->reclaim.lock);
	text = panthor_stats_test_debugfs(test, panthor_gem_debugfs_show);
	for (int i = ARRAY_SIZE(holders) - 1; i >= 0; i--)
		panthor_kunit_release(test, holders[i]);

	panthor_stats_test_expect_gem(test, text, bo, 0, 0, 0, 0, "");
}

/* Lists and counters, after one of each. */
static void panthor_stats_test_reclaim(struct kunit *test)
{
	struct panthor_vm *vms[2] = { panthor_kunit_vm(test), panthor_kunit_vm(test) };
	struct panthor_kunit_holder *holder;
	struct panthor_gem_object *bos[4];
	const char *text;

	for (u32 i = 0; i < ARRAY_SIZE(bos); i++) {
		bos[i] = panthor_kunit_bo(test, NULL, (i + 1) * PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[i]));
	}
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 1), 1);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_populate(bos[0]));

	holder = panthor_kunit_hold_resv(test, bos[1]->base.resv);
	KUNIT_ASSERT_EQ(test, panthor_kunit_scan(test, 0), SHRINK_STOP);
	panthor_kunit_release(test, holder);

	panthor_kunit_mmap_get(bos[1]);
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[0], bos[2], PANTHOR_KUNIT_VA(0)));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[0], bos[3], PANTHOR_KUNIT_VA(1)));
	KUNIT_ASSERT_EQ(test, 0, panthor_kunit_map(vms[1], bos[3], PANTHOR_KUNIT_VA(0)));

	text = panthor_stats_test_debugfs(test, panthor_reclaim_debugfs_show);
	panthor_stats_test_expect_line(test, text,
				       "unused: 1\nmmapped: 2\ngpu-mapped-vm: 3\n"
				       "gpu-mapped-shared: 4\nreclaimable: 10\nvms: 1\n");
	panthor_stats_test_expect_line(test, text,
				       "\nevictions: 1\nevicted-pages: 1\n"
				       "restores: 1\nrestored-pages: 1\nwaits: 0\n");

	holder = panthor_kunit_hold_resv(test, panthor_vm_resv(vms[0]));
	KUNIT_EXPECT_EQ(test, panthor_kunit_scan(test, PANTHOR_KUNIT_ALL), 1 + 2);
	panthor_kunit_release(test, holder);
	panthor_kunit_mmap_put(bos[1]);

	text = panthor_stats_test_debugfs(test, panthor_reclaim_debugfs_show);
	panthor_stats_test_expect_line(test, text, "\nskipped-contended: 1\n");
	panthor_stats_test_expect_line(test, text, "\nskipped-active: 0\n");
	panthor_stats_test_expect_line(test, text, "\nskipped-vm: 1\n");
}

static struct kunit_case panthor_stats_tests[] = {
	KUNIT_CASE(panthor_stats_test_status),
	KUNIT_CASE(panthor_stats_test_fdinfo_empty),
	KUNIT_CASE(panthor_stats_test_fdinfo_life),
	KUNIT_CASE(panthor_stats_test_fdinfo_shared),
	KUNIT_CASE(panthor_stats_test_fdinfo_no_handle),
	KUNIT_CASE(panthor_stats_test_gems_empty),
	KUNIT_CASE(panthor_stats_test_gems),
	KUNIT_CASE(panthor_stats_test_gems_lockless),
	KUNIT_CASE(panthor_stats_test_reclaim),
	{}
};

static struct kunit_suite panthor_stats_test_suite = {
	.name = "panthor_stats",
	.init = panthor_kunit_init,
	.test_cases = panthor_stats_tests,
};

kunit_test_suite(panthor_stats_test_suite);
