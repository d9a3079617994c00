// SPDX-License-Identifier: GPL-2.0
/*
 * D: what a scan for a few pages costs among few and among many buffers.
 * CPU caches are cold: what the figures compare is how much there is to do.
 *
 * guest: --mem 2G
 */
#include <glob.h>

#include "bench.h"

#define PAGES		100		/* of a scan */
#define VMS_PER_FILE	32		/* the driver's limit */
#define COUNTS		100		/* for one figure */
#define CACHE_SIZE	(64 << 20)	/* more than the host's caches have */

/**
 * struct population - Buffers of a page in several VMs
 * @files: open files, for more VMs than one may have
 * @vms: the VMs
 * @vm_count: their number
 * @client: in the first file, to have the VM on a slot; the only VM then
 */
struct population {
	struct pan_dev *files;
	struct pan_vm *vms;
	__u32 vm_count;
	struct client client;
};

static void chill_caches(void)
{
	static char *mem;
	size_t i;

	if (!mem)
		mem = calloc(1, CACHE_SIZE);
	for (i = 0; i < CACHE_SIZE; i += 64)
		mem[i]++;
}

/* Closing the file destroys everything. */
static void add_buffers(struct pan_vm *vm, __u32 count)
{
	__u64 va = pan_vm_alloc_va(vm, count * PAN_PAGE_SIZE, PAN_SZ_2M);
	struct pan_bo *bos = calloc(count, sizeof(*bos));
	__u32 i;

	for (i = 0; i < count; i++)
		MUST(pan_bo_create(vm->dev, PAN_PAGE_SIZE, 0, vm, &bos[i]));
	buffers_bind(vm, bos, count, va);
	free(bos);
}

static void populate(struct population *p, struct pan_dev *dev, __u32 buffers, __u32 vms,
		     bool awake)
{
	__u32 i;

	p->vm_count = vms;
	p->vms = calloc(vms, sizeof(*p->vms));
	p->files = calloc(vms / VMS_PER_FILE + 1, sizeof(*p->files));
	for (i = 0; i < vms; i++) {
		struct pan_dev *file = &p->files[i / VMS_PER_FILE];

		if (i % VMS_PER_FILE == 0)
			MUST(pan_reopen(dev, file));
		if (awake) {
			client_create(file, &p->client);
			p->vms[i] = p->client.ctx.vm;
		} else {
			MUST(pan_vm_create(file, 0, &p->vms[i]));
		}
		add_buffers(&p->vms[i], buffers / vms);
	}
	if (awake)
		client_on_slot(&p->client);
	else
		gpu_suspend(dev);
}

static void depopulate(struct population *p)
{
	__u32 i;

	for (i = 0; i < p->vm_count; i += VMS_PER_FILE)
		pan_close(&p->files[i / VMS_PER_FILE]);
	free(p->vms);
	free(p->files);
}

/* The directory's name ends in a number. */
static int open_count_file(void)
{
	FILE *file;
	glob_t found;

	MUST(glob("/sys/kernel/debug/shrinker/drm-panthor*/count", 0, NULL, &found) ? -ENOENT : 0);
	file = fopen(found.gl_pathv[0], "r");
	globfree(&found);
	return MUST(file ? fileno(file) : -errno);
}

static double count_us(int fd)
{
	char text[4096];
	int i;

	return TIME_US(for (i = 0; i < COUNTS; i++)
			       MUST(pread(fd, text, sizeof(text), 0))) / COUNTS;
}

static void measure(struct pan_dev *dev, __u32 buffers, __u32 vms, bool awake)
{
	const char *power = awake ? "awake" : "suspended";
	struct population p;
	int fd, round;

	populate(&p, dev, buffers, vms, awake);
	fd = open_count_file();
	shrink(dev, PAGES);	/* the client's own buffers are the oldest */
	for (round = 0; round < ROUNDS; round++) {
		bench_wait_quiet();
		chill_caches();
		bench_sample("us", shrink(dev, PAGES), "D.scan.%ux%u.%s", buffers, vms, power);
		bench_sample("us", count_us(fd), "D.count.%ux%u.%s", buffers, vms, power);
	}
	close(fd);
	depopulate(&p);
}

int main(void)
{
	static const __u32 buffers[] = { 1000, 10000, 100000 };
	struct pan_dev dev;
	size_t i;

	bench_open(&dev);
	for (i = 0; i < ARRAY_SIZE(buffers); i++) {
		measure(&dev, buffers[i], 1, true);
		measure(&dev, buffers[i], 1, false);
	}
	measure(&dev, 10000, 100, false);
	measure(&dev, 100000, 1000, false);
	measure(&dev, 1000, 1000, false);
	pan_close(&dev);
	return 0;
}
