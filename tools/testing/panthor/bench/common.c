// SPDX-License-Identifier: GPL-2.0
/*
 * Clock, samples, small statistics.
 */
#include <sched.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"

double bench_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

void bench_fail(const char *file, int line, const char *call, long err)
{
	printf("FAILED: %s:%d: %s: %s\n", file, line, call, strerror(-err));
	exit(1);
}

void bench_sample(const char *unit, double value, const char *name, ...)
{
	va_list args;

	printf("sample ");
	va_start(args, name);
	vprintf(name, args);
	va_end(args);
	printf(" %s %.6g\n", unit, value);
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the values. */
double bench_median(double *values, __u32 count)
{
	qsort(values, count, sizeof(*values), compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double bench_min(const double *values, __u32 count)
{
	double min = values[0];
	__u32 i;

	for (i = 1; i < count; i++)
		min = values[i] < min ? values[i] : min;
	return min;
}

const char *bench_size_name(__u64 bytes)
{
	static char name[32];

	if (bytes >= PAN_SZ_1M)
		snprintf(name, sizeof(name), "%lluM", bytes / PAN_SZ_1M);
	else
		snprintf(name, sizeof(name), "%lluK", bytes >> 10);
	return name;
}

#define SPINS			20000
#define QUIET_RATIO		1.15
#define QUIET_POLL_US		20000
#define QUIET_LIMIT_US		10e6	/* for all of a program */

/* A bit of work that needs nothing but a CPU. */
static double spin_us(void)
{
	double start = bench_now_us();
	volatile __u32 x = 1;
	int i;

	for (i = 0; i < SPINS; i++)
		x = x * 1664525 + 1013904223;
	return bench_now_us() - start;
}

/* The least that the bit of work takes, as far as we, and those before us, know. */
static double least_spin_us(double us)
{
	const char *known = getenv("BENCH_SPIN_US");
	static double least, told;

	if (!least && known)
		least = told = atof(known);
	if (!least || us < least)
		least = us;
	if (!told || least < told * 0.99) {
		told = least;
		printf("spin %.3f\n", least);
		fflush(stdout);
	}
	return least;
}

/*
 * Wait until the CPU does as much as it can. Another guest, or another program, on the
 * other half of the core makes it slower by a factor of two, for seconds.
 */
void bench_wait_quiet(void)
{
	static double waited;
	double us;

	while (waited < QUIET_LIMIT_US) {
		us = spin_us();
		if (us <= least_spin_us(us) * QUIET_RATIO)
			return;
		usleep(QUIET_POLL_US);
		waited += QUIET_POLL_US;
	}
}

/*
 * With a real-time priority nothing but interrupts runs while an ioctl is being
 * timed: neither the driver's workers that it wakes up, nor the software GPU.
 */
static void urgent(bool on)
{
	struct sched_param param = { .sched_priority = on ? 1 : 0 };

	if (sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &param))
		bench_fail(__FILE__, __LINE__, "sched_setscheduler", -errno);
}

double bench_start(void)
{
	urgent(true);
	return bench_now_us();
}

double bench_stop(double start)
{
	double us = bench_now_us() - start;

	urgent(false);
	return us;
}

/* A page of the guest is one of the host, which makes it when it's first used. */
static void warm_up_memory(void)
{
	__u64 bytes;
	void *mem;

	MUST(pan_meminfo("MemFree", &bytes));
	bytes = bytes / 10 * 9;
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	MUST(mem == MAP_FAILED ? -errno : 0);
	MUST(munmap(mem, bytes));
}

/* What this program consists of must not be reclaimed: it would be measured. */
void bench_open(struct pan_dev *dev)
{
	warm_up_memory();
	MUST(mlockall(MCL_CURRENT) ? -errno : 0);
	MUST(pan_model_knobs_reset());
	MUST(pan_open(dev));
}

__u64 bench_counter(const char *name)
{
	__u64 value;

	MUST(pan_model_counter(name, &value));
	return value;
}
