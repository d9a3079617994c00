/* SPDX-License-Identifier: GPL-2.0 or MIT */

/* Internals of the driver that KUnit tests, and nobody else, get to see. */

#ifndef __PANTHOR_KUNIT_H__
#define __PANTHOR_KUNIT_H__

#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include <linux/ktime.h>
#include <linux/types.h>

struct dma_resv;
struct drm_device;
struct drm_driver;
struct drm_file;
struct drm_gpuvm;
struct drm_gpuvm_bo;
struct drm_panthor_vm_bind_op;
struct mem_cgroup;
struct mutex;
struct panthor_device;
struct panthor_gem_object;
struct panthor_reclaim;
struct panthor_overcommit;
struct panthor_vm;
struct panthor_vm_lru;
struct panthor_vm_op_ctx;
struct reclaim_mapping_stat;
struct reclaim_pressure;
struct seq_file;

#if IS_ENABLED(CONFIG_KUNIT)
/* panthor_busy.c */
ktime_t panthor_busy_now(void);

/* panthor_drv.c */
extern const struct drm_driver panthor_drm_driver;
int panthor_vm_bind_exec_sync_ops(struct drm_file *file, struct panthor_vm *vm,
				  struct drm_panthor_vm_bind_op *ops, u32 *count);

/* panthor_gem.c */
struct panthor_gem_object *
panthor_gem_create(struct drm_device *ddev, u64 size, u32 flags,
		   struct panthor_vm *exclusive_vm);

/* panthor_gem_debugfs.c */
int panthor_gem_debugfs_show(struct seq_file *m, void *arg);
int panthor_reclaim_debugfs_show(struct seq_file *m, void *arg);

/* panthor_gem_lru.c */
struct panthor_vm_lru *panthor_vm_lru_alloc(void);

/* panthor_gem_memcg.c */
struct mem_cgroup *panthor_gem_get_memcg_locked(struct panthor_gem_object *bo);
void panthor_lruvec_put_memcg(struct mem_cgroup *memcg);
struct mem_cgroup *panthor_memcg_set_active(struct mem_cgroup *memcg);

/* panthor_gem_pages.c */
int panthor_gem_map_device_locked(struct panthor_gem_object *bo, gfp_t gfp);
unsigned long panthor_gem_reclaim_range(struct panthor_gem_object *bo, pgoff_t start, pgoff_t end,
					struct reclaim_mapping_stat *stat);

/* panthor_gem_shrinker.c */
bool panthor_gem_shrinker_can_wait(void);
void panthor_gem_shrinker_get_pressure(struct reclaim_pressure *pressure);
bool panthor_gem_shrinker_got_enough(void);
int panthor_gem_shrinker_evictors(struct panthor_reclaim *reclaim);

/* panthor_mem_reclaim.c */
int panthor_mem_reclaim_parse(const char *buf, pid_t *tgid);

/* panthor_mmu.c */
int mmu_hw_do_operation_locked(struct panthor_device *ptdev, int as_nr,
			       u64 iova, u64 size, u32 op);
void panthor_vm_bo_put(struct drm_gpuvm_bo *vm_bo);
int panthor_vm_op_ctx_prealloc_pts(struct panthor_vm_op_ctx *op_ctx, u64 pt_count);
void panthor_vm_free(struct drm_gpuvm *gpuvm);
int panthor_mmu_sw_init(struct panthor_device *ptdev);

/* panthor_overcommit.c */
unsigned long panthor_overcommit_free_pages(void);
unsigned long panthor_overcommit_most(struct panthor_device *ptdev, unsigned long own);
unsigned long panthor_overcommit_spare(void);
unsigned long panthor_overcommit_events(void);
ktime_t panthor_overcommit_now(void);
unsigned long panthor_overcommit_delay(struct panthor_overcommit *overcommit,
				       struct panthor_vm *vm);
bool panthor_overcommit_wait_for_vms(struct panthor_overcommit *overcommit, struct dma_resv *resv);
#endif

#if IS_ENABLED(CONFIG_DRM_PANTHOR_KUNIT_TEST)
struct mutex *panthor_kunit_vm_op_lock(struct panthor_vm *vm);
struct mutex *panthor_kunit_mmu_slots_lock(struct panthor_device *ptdev);
void panthor_kunit_mmu_reset(struct panthor_device *ptdev);
bool panthor_kunit_mmu_keeps_vms(struct panthor_device *ptdev);
void panthor_kunit_vm_set_as(struct panthor_vm *vm, int as);
bool panthor_kunit_vm_keeps_pts(struct panthor_vm *vm);
phys_addr_t panthor_kunit_vm_translate(struct panthor_vm *vm, u64 va);
#endif

#endif
