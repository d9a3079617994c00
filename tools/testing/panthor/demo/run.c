// SPDX-License-Identifier: GPL-2.0
/*
 * The story of GPU memory reclaim, in a machine with little RAM: a client fills
 * more GPU memory than there is RAM, buffers are evicted, the counters of the
 * kernel show it, and the GPU and the CPU find each byte where it was.
 *
 * The last line is "OK: ..." (exit status 0) or "FAILED: ..." (1).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pan.h"
#include "pan_ctx.h"
#include "pan_stat.h"
#include "pan_util.h"

#define VMS		2
#define BUFFERS		10	/* of each VM */
#define SHOWN_LINES	3	/* of gems, for each state */
#define JOB_DEADLINE_MS	600000

/**
 * struct buffer - A GPU buffer with known contents.
 * @bo: the buffer; no two have the same size, so gems tells them apart
 * @seed: of its contents
 * @wrong: result of the GPU's check
 * @sum: result of the GPU's sum
 * @was_evicted: it was evicted when the views were taken
 */
struct buffer {
	struct pan_bo bo;
	__u64 seed;
	__u64 *wrong;
	__u64 *sum;
	bool was_evicted;
};

struct story {
	struct pan_dev dev;
	struct pan_ctx vms[VMS];
	struct buffer buffers[VMS][BUFFERS];
	__u64 available;	/* bytes of RAM at the start */
	__u64 total;		/* bytes of GPU buffers */
	__u64 evicted;		/* bytes */
	__u64 restored;		/* bytes */
	__u64 pages;		/* verified */
	pid_t hog;		/* the other process */
	int chapter;
};

/* The last line, if things go wrong. */
#define fail(...) (printf("\nFAILED: " __VA_ARGS__), printf("\n"), -1)

static void title(struct story *s, const char *text)
{
	printf("\n%d. %s\n", ++s->chapter, text);
	fflush(stdout);
}

static unsigned int mib(__u64 bytes)
{
	return (bytes + PAN_SZ_1M / 2) / PAN_SZ_1M;
}

/*
 * Views
 */

static void show_fdinfo(struct story *s)
{
	char path[64], text[4096], *line, *save = NULL;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", getpid(), s->dev.fd);
	printf("   %s\n", path);
	if (pan_read_file(path, text, sizeof(text)) < 0)
		return;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if ((!strncmp(line, "drm-", 4) || !strncmp(line, "panthor-", 8)) &&
		    strstr(line, "memory"))
			printf("      %s\n", line);
}

static void show_free(void)
{
	__u64 total = 0, available = 0, swap_total = 0, swap_free = 0;

	pan_meminfo("MemTotal", &total);
	pan_meminfo("MemAvailable", &available);
	pan_swap_total(&swap_total);
	pan_swap_free(&swap_free);
	printf("   free (MiB)        total   available\n");
	printf("      RAM      %10u  %10u\n", mib(total), mib(available));
	printf("      swap     %10u  %10u\n", mib(swap_total), mib(swap_free));
}

static void show_swaps(void)
{
	char text[4096], *line, *save = NULL;

	if (pan_read_file("/proc/swaps", text, sizeof(text)) < 0)
		return;
	printf("   /proc/swaps\n");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		printf("      %s\n", line);
}

static void show_gem(const struct pan_gem *gem)
{
	printf("      %-16s/%-6d %5u MiB %9u MiB %10llu    0x%x%s\n", gem->comm, gem->tgid,
	       mib(gem->size), mib(gem->resident), gem->evictions, gem->state,
	       gem->state & PAN_GEM_EVICTED ? " evicted" : "");
}

static bool is_ours(const struct pan_gem *gem)
{
	return gem->tgid == getpid() && gem->size >= PAN_SZ_1M;
}

/* A few lines of either kind, and the totals. */
static int show_gems(struct story *s)
{
	unsigned int evicted = 0, resident = 0, *count;
	struct pan_gems gems;
	size_t i;
	int ret;

	ret = pan_gems_read(&s->dev, &gems);
	if (ret)
		return fail("debugfs gems: %s", strerror(-ret));
	printf("   gems (some)                   size  resident-size  evictions  state\n");
	for (i = 0; i < gems.count; i++) {
		if (!is_ours(&gems.gems[i]))
			continue;
		count = gems.gems[i].state & PAN_GEM_EVICTED ? &evicted : &resident;
		if ((*count)++ < SHOWN_LINES)
			show_gem(&gems.gems[i]);
	}
	printf("      %u evicted, %u resident; with the kernel's own %u MiB, resident %u MiB\n",
	       evicted, resident, mib(gems.total), mib(gems.resident));
	pan_gems_free(&gems);
	return 0;
}

static int show(struct story *s)
{
	show_fdinfo(s);
	show_free();
	show_swaps();
	return show_gems(s);
}

/*
 * Chapters
 */

static int look_around(struct story *s)
{
	__u64 total = 0, swap = 0;
	int ret;

	title(s, "The machine");
	ret = pan_open(&s->dev);
	if (ret)
		return fail("no panthor GPU: %s", strerror(-ret));
	if (!pan_has_shrink(&s->dev))
		return fail("the driver can't evict: it has no debugfs file \"shrink\"");
	if (pan_swap_free(&swap) || !swap)
		return fail("no swap, so nothing can be evicted");
	pan_meminfo("MemTotal", &total);
	pan_meminfo("MemAvailable", &s->available);
	printf("   GPU id 0x%x%s, RAM %u MiB (%u MiB free), swap %u MiB, seed 0x%llx\n",
	       s->dev.gpu.gpu_id, pan_model_present() ? " (software model)" : "",
	       mib(total), mib(s->available), mib(swap), pan_seed());
	return 0;
}

/* Each VM gets more than half of what is free, in ten buffers. */
static int create_buffers(struct story *s, int vm)
{
	__u64 size = s->available * 55 / 100 / BUFFERS & ~(PAN_PAGE_SIZE - 1);
	int i, ret;

	ret = pan_ctx_create(&s->dev, 1, &s->vms[vm]);
	for (i = 0; !ret && i < BUFFERS; i++) {
		struct buffer *buf = &s->buffers[vm][i];

		buf->seed = pan_seed() + vm * BUFFERS + i;
		ret = pan_bo_create_mapped(&s->vms[vm].vm,
					   size + (vm * BUFFERS + i) * PAN_PAGE_SIZE,
					   PAN_SZ_2M, true, &buf->bo);
		s->total += buf->bo.size;
	}
	return ret ? fail("creating buffers: %s", strerror(-ret)) : 0;
}

static int run(struct pan_ctx *ctx, const struct pan_cs *cs, const char *what)
{
	int ret;

	ret = pan_ctx_start(ctx, 0, cs);
	if (!ret)
		ret = pan_ctx_wait(ctx, JOB_DEADLINE_MS);
	return ret ? fail("%s: %s", what, strerror(-ret)) : 0;
}

static __u64 vm_size(const struct story *s, int vm)
{
	__u64 size = 0;
	int i;

	for (i = 0; i < BUFFERS; i++)
		size += s->buffers[vm][i].bo.size;
	return size;
}

static int fill(struct story *s, int vm)
{
	struct pan_cs cs;
	int i;

	if (create_buffers(s, vm))
		return -1;
	pan_cs_init(&cs);
	for (i = 0; i < BUFFERS; i++)
		pan_cs_fill(&cs, s->buffers[vm][i].bo.va, s->buffers[vm][i].bo.size,
			    s->buffers[vm][i].seed);
	if (run(&s->vms[vm], &cs, "the job that fills the buffers"))
		return -1;
	printf("   VM %d: a GPU job wrote %u MiB, in %d buffers\n", vm + 1,
	       mib(vm_size(s, vm)), BUFFERS);
	return 0;
}

static int first_vm(struct story *s)
{
	title(s, "A GPU client fills its first address space (VM)");
	return fill(s, 0) ? -1 : show(s);
}

/* Real pressure: together the two want far more than there is. */
static int memory_gets_tight(struct story *s)
{
	__u64 size = s->available * 30 / 100;
	int ret;

	title(s, "Memory gets tight: a second VM is filled, another program needs memory as well");
	if (fill(s, 1))
		return -1;
	ret = pan_pressure_start(size, &s->hog);
	if (ret)
		return fail("the other program: %s", strerror(-ret));
	printf("   process %d: touched %u MiB\n", s->hog, mib(size));
	printf("   wanted %u MiB in all, of %u MiB\n", mib(s->total + size), mib(s->available));
	return 0;
}

static int note_evicted(struct story *s)
{
	struct pan_gem gem;
	int vm, i, ret;

	for (vm = 0; vm < VMS; vm++) {
		for (i = 0; i < BUFFERS; i++) {
			struct buffer *buf = &s->buffers[vm][i];

			ret = pan_gems_find(&s->dev, getpid(), buf->bo.size, &gem);
			if (ret)
				return fail("a buffer in debugfs gems: %s", strerror(-ret));
			buf->was_evicted = gem.state & PAN_GEM_EVICTED;
			if (buf->was_evicted)
				s->evicted += buf->bo.size;
		}
	}
	return s->evicted ? 0 : fail("nothing was evicted");
}

static int after_pressure(struct story *s)
{
	title(s, "Where is the GPU memory now?");
	return show(s) ? -1 : note_evicted(s);
}

static int check_results(struct story *s, int vm)
{
	int i;

	for (i = 0; i < BUFFERS; i++) {
		const struct buffer *buf = &s->buffers[vm][i];

		if (pan_peek(buf->wrong))
			return fail("VM %d, buffer %d: the GPU found %llu wrong words",
				    vm + 1, i, pan_peek(buf->wrong));
		if (pan_peek(buf->sum) != pan_pattern_sum(buf->bo.size, buf->seed))
			return fail("VM %d, buffer %d: wrong sum", vm + 1, i);
	}
	return 0;
}

/* Only for buffers that were found to be all right. */
static void count_restored(struct story *s, int vm)
{
	int i;

	for (i = 0; i < BUFFERS; i++) {
		s->pages += s->buffers[vm][i].bo.size / PAN_PAGE_SIZE;
		if (s->buffers[vm][i].was_evicted)
			s->restored += s->buffers[vm][i].bo.size;
	}
}

/* One job that reads all buffers of a VM, twice, in two ways. */
static int gpu_verifies_vm(struct story *s, int vm)
{
	struct pan_ctx *ctx = &s->vms[vm];
	struct pan_cs cs;
	int i;

	pan_cs_init(&cs);
	for (i = 0; i < BUFFERS; i++) {
		struct buffer *buf = &s->buffers[vm][i];
		__u64 wrong_va = pan_ctx_slot(ctx, &buf->wrong);
		__u64 sum_va = pan_ctx_slot(ctx, &buf->sum);

		pan_poke(buf->wrong, ~0ULL);
		pan_cs_verify(&cs, buf->bo.va, buf->bo.size, buf->seed, wrong_va);
		pan_cs_sum(&cs, buf->bo.va, buf->bo.size, sum_va);
	}
	if (run(ctx, &cs, "the job that verifies"))
		return -1;
	return check_results(s, vm);
}

static int gpu_verifies(struct story *s)
{
	int vm;

	title(s, "Another GPU job reads everything: evicted buffers come back for it");
	for (vm = 0; vm < VMS; vm++) {
		if (gpu_verifies_vm(s, vm))
			return -1;
		count_restored(s, vm);
		printf("   VM %d: %u MiB compared and summed up by the GPU, all right\n",
		       vm + 1, mib(vm_size(s, vm)));
		fflush(stdout);
	}
	return 0;
}

static int cpu_verifies_buffer(struct buffer *buf)
{
	__u64 wrong;
	int ret;

	ret = pan_bo_mmap(&buf->bo);
	if (ret)
		return fail("mmap of a buffer: %s", strerror(-ret));
	wrong = pan_verify_edges(buf->bo.map, buf->bo.size, buf->seed);
	pan_bo_munmap(&buf->bo);
	return wrong ? fail("the CPU found %llu wrong words", wrong) : 0;
}

static int cpu_verifies(struct story *s)
{
	int vm, i;

	title(s, "The CPU looks at both ends of each page");
	for (vm = 0; vm < VMS; vm++)
		for (i = 0; i < BUFFERS; i++)
			if (cpu_verifies_buffer(&s->buffers[vm][i]))
				return -1;
	printf("   %llu pages, all right\n", s->total / PAN_PAGE_SIZE);
	return 0;
}

static int evicted_now(struct story *s, __u64 *bytes)
{
	struct pan_fdinfo info;
	int ret;

	ret = pan_fdinfo_read(&s->dev, &info);
	if (ret)
		return fail("fdinfo: %s", strerror(-ret));
	*bytes = info.evicted;
	return 0;
}

static bool has_file(const struct story *s, const char *name)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", s->dev.sysfs, name);
	return !access(path, F_OK);
}

static int verify_once_more(struct story *s)
{
	int ret = gpu_verifies_vm(s, 0);

	if (!ret)
		printf("   VM 1: verified by the GPU once more, all right\n");
	return ret;
}

/* A chapter about a file that the driver doesn't have ends with its title. */
static bool left_out(const struct story *s, const char *name)
{
	if (has_file(s, name))
		return false;
	printf("   left out: this driver has no %s\n", name);
	return true;
}

/*
 * Begins with memory to spare and a VM that was just used, so that there is
 * something to evict.
 */
static int evict_on_request(struct story *s)
{
	__u64 before = 0, after = 0;
	int ret;

	title(s, "Eviction on request, as for an application in the background");
	if (left_out(s, "mem_reclaim"))
		return 0;
	pan_pressure_stop(s->hog);
	printf("   process %d: ended\n", s->hog);
	s->hog = 0;
	if (gpu_verifies_vm(s, 0) || evicted_now(s, &before))
		return -1;
	printf("   VM 1: used by the GPU\n");
	printf("   echo %d > /sys/bus/platform/drivers/panthor/%s/mem_reclaim\n",
	       getpid(), pan_device_name(&s->dev));
	ret = pan_mem_reclaim_write(&s->dev, getpid());
	if (ret)
		return fail("mem_reclaim: %s", strerror(-ret));
	if (evicted_now(s, &after))
		return -1;
	printf("   drm-evicted-memory: %u MiB before, %u MiB after\n", mib(before), mib(after));
	if (after <= before)
		return fail("mem_reclaim evicted nothing");
	/* Otherwise, this happens in the next chapter. */
	return has_file(s, "mem_claim") ? 0 : verify_once_more(s);
}

/*
 * Both VMs are evicted, and only one fits: that's where it ends, before what's back
 * already would have to go.
 */
static int claim_back(struct story *s)
{
	__u64 before = 0, after = 0;
	int ret;

	title(s, "Back to the foreground: memory comes back before a job needs it");
	if (left_out(s, "mem_claim"))
		return 0;
	if (evicted_now(s, &before))
		return -1;
	printf("   echo %d > /sys/bus/platform/drivers/panthor/%s/mem_claim\n", getpid(),
	       pan_device_name(&s->dev));
	ret = pan_mem_claim_write(&s->dev, getpid());
	if (ret && ret != -ENOMEM)
		return fail("mem_claim: %s", strerror(-ret));
	if (evicted_now(s, &after))
		return -1;
	printf("   drm-evicted-memory: %u MiB before, %u MiB after%s\n", mib(before), mib(after),
	       ret ? ": the rest doesn't fit" : "");
	if (after >= before)
		return fail("mem_claim brought nothing back");
	return verify_once_more(s);
}

static int tell(struct story *s)
{
	static int (* const chapters[])(struct story *s) = {
		look_around,
		first_vm,
		memory_gets_tight,
		after_pressure,
		gpu_verifies,
		cpu_verifies,
		evict_on_request,
		claim_back,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(chapters); i++)
		if (chapters[i](s))
			return -1;
	printf("\nOK: %u MiB evicted, %u MiB restored, %llu pages verified\n",
	       mib(s->evicted), mib(s->restored), s->pages);
	return 0;
}

int main(void)
{
	static struct story story = { .dev = { .fd = -1 } };
	int ret = tell(&story);

	if (story.hog > 0)
		pan_pressure_stop(story.hog);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
