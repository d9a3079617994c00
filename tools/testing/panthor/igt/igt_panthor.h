/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IGT_PANTHOR_H
#define IGT_PANTHOR_H

#include "igt.h"

struct panthor_bo {
	uint32_t handle;
	uint64_t offset;
	uint64_t size;
	void *map;
};

void igt_panthor_skip_on_big_endian(void);
void igt_panthor_vm_create_userva_range(int fd, uint32_t *vm_id, int err,
					uint64_t *user_va_range);
void igt_panthor_vm_destroy(int fd, uint32_t vm_id, int err);
void igt_panthor_vm_bind_offset(int fd, uint32_t vm_id, uint32_t bo_handle, uint64_t va,
				uint64_t size, uint64_t offset, uint32_t flags, int err);
void igt_panthor_bo_create(int fd, struct panthor_bo *bo, uint64_t size, uint32_t flags, int err);
void igt_panthor_bo_create_mapped(int fd, struct panthor_bo *bo, uint64_t size, uint32_t flags,
				  int err);
void *igt_panthor_mmap_bo(int fd, uint32_t handle, uint64_t size, unsigned int prot,
			  uint64_t offset);
void igt_panthor_free_bo(int fd, struct panthor_bo *bo);
uint32_t igt_panthor_group_create_simple(int fd, uint32_t vm_id, int err);
void igt_panthor_group_destroy(int fd, uint32_t group_handle, int err);
void igt_panthor_group_submit_simple(int fd, uint32_t group_handle, uint32_t queue_index,
				     uint64_t stream_addr, uint32_t stream_size,
				     uint32_t syncobj_handle, int err);

#endif /* IGT_PANTHOR_H */
