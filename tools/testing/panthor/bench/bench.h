/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the measurements share: a clock, samples, populations of buffers, and
 * ways to have memory evicted and swapped out.
 *
 * A program prints lines "sample NAME UNIT VALUE", one for each round;
 * scripts/bench.py turns them into results. Anything that fails ends the
 * program: half a measurement is none.
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch/batch.h"
#include "pan.h"
#include "pan_ctx.h"
#include "pan_stat.h"
#include "pan_util.h"

#define ROUNDS		2	/* in a boot */
#define EVERYTHING	0x100000U	/* pages: 4 GiB */
#define OPS		64		/* operations in one ioctl */

/* A call that returns a negative errno, and must not. */
#define MUST(call) ({								\
	long __ret = (call);							\
										\
	if (__ret < 0)								\
		bench_fail(__FILE__, __LINE__, #call, __ret);			\
	__ret;									\
})

/*
 * Microseconds that a statement takes, while nothing else runs. Before something
 * long the GPU has to be at rest, or the driver believes that it is stuck: see
 * gpu_settle().
 */
#define TIME_US(statement) ({							\
	double __start = bench_start();						\
										\
	statement;								\
	bench_stop(__start);							\
})

/* Who can see the buffers: decides which of the driver's lists they are in. */
enum kind { PRIVATE, SHARED, MMAPPED };

/**
 * struct client - A VM that can run a job which was built beforehand
 * @ctx: the context
 * @job: GPU address of a stream that does nothing
 * @job_size: its bytes
 */
struct client {
	struct pan_ctx ctx;
	__u64 job;
	__u32 job_size;
};

/**
 * struct buffers - Buffers of one size and kind
 * @kind: who can see them
 * @clients: whose VMs they are mapped in
 * @bos: the buffers
 * @count: their number
 * @size: of each, in bytes
 * @va: where they are in the VMs, one after the other
 * @sum: of their content, as the GPU computes it
 */
struct buffers {
	enum kind kind;
	struct client *clients;
	struct pan_bo *bos;
	__u32 count;
	__u64 size;
	__u64 va;
	__u64 sum;
};

/* Where what's swapped out goes. */
enum swap { ZRAM_SWAP, DISK_SWAP };

/**
 * struct usage - Memory, in bytes, and what happened to it since boot.
 * @evicted: GPU memory that was evicted
 * @restores: buffers that came back
 * @written: to swap
 * @read: from swap
 * @free: free now
 * @zram: taken by compressed RAM now
 */
struct usage {
	__u64 evicted;
	__u64 restores;
	__u64 written;
	__u64 read;
	__u64 free;
	__u64 zram;
};

/* common.c */
double bench_now_us(void);
void bench_wait_quiet(void);
double bench_start(void);
double bench_stop(double start);
void bench_fail(const char *file, int line, const char *call, long err);
void bench_sample(const char *unit, double value, const char *name, ...)
	__attribute__((format(printf, 3, 4)));
double bench_median(double *values, __u32 count);
double bench_min(const double *values, __u32 count);
const char *bench_size_name(__u64 bytes);
void bench_open(struct pan_dev *dev);
__u64 bench_counter(const char *name);

/* calls.c */
double calls_run(struct batch_call *calls, __u32 count);
void calls_watch(const char *name);

/* client.c */
void client_create(struct pan_dev *dev, struct client *client);
void client_destroy(struct client *client);
void client_submit(struct client *client);
void client_wait(struct client *client);
void client_hold(struct client *client);
void client_release(struct client *client);
void client_settle(struct client *client);
void client_on_slot(struct client *client);
void gpu_settle(struct pan_dev *dev);
void gpu_suspend(struct pan_dev *dev);

/* buffers.c */
void buffers_create(struct buffers *b, enum kind kind, struct client *clients,
		    __u64 size, __u32 count);
void buffers_bind(struct pan_vm *vm, struct pan_bo *bos, __u32 count, __u64 va);
void buffers_destroy(struct buffers *b);
double buffers_restore(struct buffers *b);
void buffers_check(struct buffers *b);

/* life.c */
double lives_us(struct pan_vm *vm, __u64 va, __u32 count);
double maps_us(const struct pan_bo *bo, struct pan_vm *vm, __u64 va, __u32 count);
double faults_us(struct pan_dev *dev, __u32 count);

/* memory.c */
void memory_touch(void *mem, __u64 bytes);
double memory_swap_out(__u64 bytes);
void memory_evict(struct pan_dev *dev, __u64 bytes);
double shrink(struct pan_dev *dev, __u64 pages);

/* usage.c */
void swap_use(enum swap swap);
const char *swap_name(enum swap swap);
void usage_read(struct pan_dev *dev, struct usage *usage);
__u64 usage_evicted_of(struct pan_dev *dev, pid_t pid);
void drop_page_cache(void);
pid_t hog_memory(__u64 bytes);
void end_hog(pid_t pid);

#endif /* BENCH_H */
