// SPDX-License-Identifier: GPL-2.0
/*
 * Tiler heaps.
 */
#include <string.h>

#include "pan.h"

/**
 * pan_heap_create() - TILER_HEAP_CREATE.
 * @vm: address space
 * @initial: chunks to start with
 * @chunk_size: bytes of a chunk, 128 KiB to 8 MiB
 * @max: most chunks it may have
 * @in_flight: render passes in flight before the firmware has to wait
 * @heap: filled in
 *
 * Return: 0 or a negative errno.
 */
int pan_heap_create(struct pan_vm *vm, __u32 initial, __u32 chunk_size, __u32 max,
		    __u32 in_flight, struct drm_panthor_tiler_heap_create *heap)
{
	memset(heap, 0, sizeof(*heap));
	heap->vm_id = vm->id;
	heap->initial_chunk_count = initial;
	heap->chunk_size = chunk_size;
	heap->max_chunks = max;
	heap->target_in_flight = in_flight;
	return pan_ioctl(vm->dev->fd, DRM_IOCTL_PANTHOR_TILER_HEAP_CREATE, heap);
}

/**
 * pan_heap_destroy() - TILER_HEAP_DESTROY.
 * @dev: device
 * @handle: heap
 *
 * Return: 0 or a negative errno.
 */
int pan_heap_destroy(struct pan_dev *dev, __u32 handle)
{
	struct drm_panthor_tiler_heap_destroy args = { .handle = handle };

	return pan_ioctl(dev->fd, DRM_IOCTL_PANTHOR_TILER_HEAP_DESTROY, &args);
}
