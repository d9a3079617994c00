/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Readers of what the driver, the model and the system tell about memory.
 */
#ifndef PAN_STAT_H
#define PAN_STAT_H

#include <sys/types.h>

#include "pan.h"

/* Which fields of struct pan_fdinfo were in the file. */
#define PAN_FDINFO_CLIENT	0x001U
#define PAN_FDINFO_TOTAL	0x002U
#define PAN_FDINFO_SHARED	0x004U
#define PAN_FDINFO_ACTIVE	0x008U
#define PAN_FDINFO_RESIDENT	0x010U
#define PAN_FDINFO_PURGEABLE	0x020U
#define PAN_FDINFO_EVICTED	0x040U
#define PAN_FDINFO_DRV_RESIDENT	0x080U
#define PAN_FDINFO_DRV_EVICTED	0x100U
#define PAN_FDINFO_DRIVER	0x200U
#define PAN_FDINFO_ENGINE	0x400U

/**
 * struct pan_fdinfo - The DRM keys of one fdinfo file, sizes in bytes, times in ns.
 * @present: mask of PAN_FDINFO_* for the fields below
 * @driver: drm-driver
 * @client_id: drm-client-id
 * @total: drm-total-memory
 * @shared: drm-shared-memory
 * @active: drm-active-memory
 * @resident: drm-resident-memory
 * @purgeable: drm-purgeable-memory
 * @evicted: drm-evicted-memory
 * @drv_resident: panthor-resident-memory
 * @drv_evicted: panthor-evicted-memory
 * @engine: drm-engine-panthor
 */
struct pan_fdinfo {
	__u32 present;
	char driver[32];
	__u64 client_id;
	__u64 total;
	__u64 shared;
	__u64 active;
	__u64 resident;
	__u64 purgeable;
	__u64 evicted;
	__u64 drv_resident;
	__u64 drv_evicted;
	__u64 engine;
};

/* State flags of a line in debugfs gems. */
#define PAN_GEM_IMPORTED	0x1U
#define PAN_GEM_EXPORTED	0x2U
#define PAN_GEM_EVICTED		0x4U

/* Usage flags. */
#define PAN_GEM_KERNEL		0x1U
#define PAN_GEM_FW_MAPPED	0x2U

/**
 * struct pan_gem - One line of debugfs gems.
 * @comm: command name of the creator
 * @tgid: process of the creator
 * @name: global (flink) name
 * @refcount: references
 * @evictions: how often the shrinker took the pages
 * @size: size in bytes
 * @resident: bytes that have pages
 * @file_offset: fake mmap offset
 * @state: PAN_GEM_*
 * @usage: PAN_GEM_KERNEL, PAN_GEM_FW_MAPPED
 * @label: label, may be empty
 */
struct pan_gem {
	char comm[32];
	int tgid;
	__u64 name;
	__u64 refcount;
	__u64 evictions;
	__u64 size;
	__u64 resident;
	__u64 file_offset;
	__u32 state;
	__u32 usage;
	char label[64];
};

/**
 * struct pan_gems - debugfs gems, parsed.
 * @gems: lines
 * @count: number of lines
 * @total: sum of sizes as printed
 * @resident: sum of resident sizes as printed
 * @reclaimable: sum of reclaimable sizes as printed
 */
struct pan_gems {
	struct pan_gem *gems;
	size_t count;
	__u64 total;
	__u64 resident;
	__u64 reclaimable;
};

/**
 * struct pan_reclaim - debugfs reclaim; lists in pages.
 * @unused: not mapped at all
 * @mmapped: mapped by CPUs only
 * @one_vm: mapped in one VM
 * @shared: mapped in several VMs
 * @reclaimable: all of these
 * @vms: VMs with something in their list
 * @evictions: buffers evicted so far
 * @evicted_pages: their pages
 * @restores: buffers that came back so far
 * @restored_pages: their pages
 */
struct pan_reclaim {
	__u64 unused;
	__u64 mmapped;
	__u64 one_vm;
	__u64 shared;
	__u64 reclaimable;
	__u64 vms;
	__u64 evictions;
	__u64 evicted_pages;
	__u64 restores;
	__u64 restored_pages;
};

/**
 * struct pan_stream - Where in the model a command stream executes.
 * @csg: group slot
 * @cs: stream of the group
 * @as: address space
 */
struct pan_stream {
	unsigned int csg;
	unsigned int cs;
	unsigned int as;
};

/* fdinfo.c */
int pan_fdinfo_parse(const char *text, struct pan_fdinfo *info);
int pan_fdinfo_read(struct pan_dev *dev, struct pan_fdinfo *info);
int pan_fdinfo_read_pid(pid_t pid, int fd, struct pan_fdinfo *info);

/* debugfs.c: the driver's files */
int pan_debugfs_path(struct pan_dev *dev, const char *name, char *path, size_t len);
bool pan_has_shrink(struct pan_dev *dev);
bool pan_has_reclaim(struct pan_dev *dev);
int pan_count_vms(struct pan_dev *dev, size_t *count);
int pan_shrink(struct pan_dev *dev, __u64 pages, __u64 *reclaimed);
int pan_gems_parse(const char *text, struct pan_gems *gems);
int pan_gems_read(struct pan_dev *dev, struct pan_gems *gems);
void pan_gems_free(struct pan_gems *gems);
int pan_gems_find(struct pan_dev *dev, int tgid, __u64 size, struct pan_gem *gem);
int pan_reclaim_counter(struct pan_dev *dev, const char *name, __u64 *value);
int pan_reclaim_read(struct pan_dev *dev, struct pan_reclaim *reclaim);

/* audit.c: invariants */
int pan_audit(struct pan_dev *dev, bool exact, char *why, size_t len);
int pan_audit_empty(struct pan_dev *dev, char *why, size_t len);

/* trace.c: the driver's tracepoints */
int pan_trace_start(void);
int pan_trace_stop(char **text);
const char *pan_trace_next(const char *text, const char *event);
int pan_trace_value(const char *event, const char *key, __u64 *value);

/* model.c: counters and knobs of the software GPU */
bool pan_model_present(void);
int pan_model_counter(const char *name, __u64 *value);
int pan_model_knob_set(const char *name, const char *value);
int pan_model_knob_set_u64(const char *name, __u64 value);
int pan_model_knob_get(const char *name, __u64 *value);
int pan_model_knobs_reset(void);
int pan_model_warnings(char *buf, size_t len);
int pan_model_tlb_audit(char *buf, size_t len);
int pan_model_busy_stream(struct pan_stream *stream);
int pan_model_wait_counter(const char *name, __u64 at_least, int timeout_ms);

/* sysinfo.c */
int pan_meminfo(const char *key, __u64 *bytes);
int pan_really_free(__u64 *bytes);
int pan_vmstat(const char *key, __u64 *value);
int pan_swap_free(__u64 *bytes);
int pan_swap_total(__u64 *bytes);
int pan_swap_device(char *path, size_t len);
int pan_memory_reclaim(__u64 bytes);
int pan_zram_start(__u64 bytes);
int pan_zram_stop(void);
int pan_zram_used(__u64 *bytes);
int pan_zram_failed_writes(__u64 *count);
int pan_pressure_start(__u64 bytes, pid_t *pid);
int pan_pressure_stop(pid_t pid);
void pan_mem_reclaim_path(struct pan_dev *dev, char *path, size_t len);
int pan_mem_reclaim_write(struct pan_dev *dev, int tgid);
void pan_mem_claim_path(struct pan_dev *dev, char *path, size_t len);
int pan_mem_claim_write(struct pan_dev *dev, int tgid);

#endif /* PAN_STAT_H */
