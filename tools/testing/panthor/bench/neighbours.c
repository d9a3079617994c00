// SPDX-License-Identifier: GPL-2.0
/*
 * J: what GPU memory loses beside others, compared with anonymous memory: when files are
 * read, and when somebody needs memory.
 *
 * needs: debugfs "reclaim"
 * guest: --mem 384M --swap 1G
 * boots: 2
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "bench.h"
#include "pan_child.h"

#define TOTAL		(160 * PAN_SZ_1M)
#define BUFFER		(8 * PAN_SZ_1M)
#define IDLE_READS	1	/* of the disk: 1 GiB */
#define BUSY_READS	3
#define DISK		"/dev/ubda"
#define SWAPPINESS	"/proc/sys/vm/swappiness"
#define LRU_GEN		"/sys/kernel/mm/lru_gen/enabled"

#define EACH		(96 * PAN_SZ_1M)	/* GPU memory, and anonymous memory */
#define STEPS		12
#define LOST		(80 * PAN_SZ_1M)	/* of both together */
#define PERIOD_US	100000

static struct client client;
static const char *suffix;	/* which LRU */

/* More than twice as much as there is RAM goes through the page cache. */
static void read_files(int times)
{
	static char block[1 << 20];
	int i, fd;

	for (i = 0; i < times; i++) {
		fd = MUST(open(DISK, O_RDONLY));
		while (MUST(read(fd, block, sizeof(block))) > 0)
			;
		close(fd);
	}
}

static double mib(__u64 bytes)
{
	return (double)bytes / PAN_SZ_1M;
}

/* MiB that are written to swap while files are read. */
static double written_beside_reads(struct pan_dev *dev)
{
	struct usage before, after;

	drop_page_cache();
	usage_read(dev, &before);
	read_files(IDLE_READS);
	usage_read(dev, &after);
	return mib(after.written - before.written);
}

static void *anonymous(__u64 bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(mem == MAP_FAILED ? -errno : 0);
	return mem;
}

static void idle_beside_reads(struct pan_dev *dev, unsigned int swappiness)
{
	struct buffers b;
	double gpu, anon;
	void *mem;

	MUST(pan_write_u64(SWAPPINESS, swappiness));
	mem = anonymous(TOTAL);
	memory_touch(mem, TOTAL);
	anon = written_beside_reads(dev);
	MUST(munmap(mem, TOTAL));

	buffers_create(&b, PRIVATE, &client, BUFFER, TOTAL / BUFFER);
	gpu = written_beside_reads(dev);
	buffers_restore(&b);
	buffers_check(&b);
	buffers_destroy(&b);
	bench_sample("MiB", anon, "J.read.anon.%u%s", swappiness, suffix);
	bench_sample("MiB", gpu, "J.read.gpu.%u%s", swappiness, suffix);
	bench_sample("MiB", gpu - anon, "J.read.gpu-more.%u%s", swappiness, suffix);
	MUST(pan_write_u64(SWAPPINESS, 60));
}

/* Somebody reads files while we have a job ten times a second. */
static int reader(struct pan_child *self)
{
	(void)self;
	read_files(BUSY_READS);
	return 0;
}

static void working_beside_reads(struct pan_dev *dev)
{
	struct usage before, after;
	struct pan_child child;
	struct buffers b;
	__u32 jobs = 0;
	int status;

	buffers_create(&b, PRIVATE, &client, BUFFER, TOTAL / BUFFER);
	drop_page_cache();
	usage_read(dev, &before);
	MUST(pan_child_start(&child, reader, NULL));
	while (!waitpid(child.pid, &status, WNOHANG)) {
		client_submit(&client);
		client_wait(&client);
		jobs++;
		usleep(PERIOD_US);
	}
	MUST(WIFEXITED(status) && !WEXITSTATUS(status) && jobs ? 0 : -EPROTO);
	close(child.fd);
	usage_read(dev, &after);
	buffers_check(&b);
	buffers_destroy(&b);
	bench_sample("MiB", mib(after.evicted - before.evicted), "J.client.evicted%s", suffix);
	bench_sample("restores", after.restores - before.restores, "J.client.restores%s", suffix);
}

static __u64 swapped_of(pid_t pid)
{
	char path[64], text[8192], *line;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	MUST(pan_read_file(path, text, sizeof(text)));
	line = strstr(text, "VmSwap:");
	MUST(line ? 0 : -EPROTO);
	return strtoull(line + strlen("VmSwap:"), NULL, 10) << 10;
}

/* Keeps memory that's made in steps, so that it's as old as something else. */
static int keeper(struct pan_child *self)
{
	char *mem = anonymous(EACH);
	int i;

	for (i = 0; i < STEPS; i++) {
		memory_touch(mem + EACH / STEPS * i, EACH / STEPS);
		MUST(pan_child_meet(self));
	}
	return pan_child_meet(self);
}

/* GPU memory and anonymous memory of the same age lose the same share. */
static void pressure(struct pan_dev *dev)
{
	struct usage before, after;
	struct buffers parts[STEPS];
	struct pan_child child;
	double gpu, anon, more, less;
	pid_t pid;
	int i;

	MUST(pan_child_start(&child, keeper, NULL));
	for (i = 0; i < STEPS; i++) {
		buffers_create(&parts[i], PRIVATE, &client, PAN_SZ_1M, EACH / STEPS / PAN_SZ_1M);
		MUST(pan_child_meet(&child));
	}
	drop_page_cache();
	usage_read(dev, &before);
	pid = hog_memory(before.free + LOST);
	usage_read(dev, &after);
	gpu = (double)(after.evicted - before.evicted) / EACH;
	anon = (double)swapped_of(child.pid) / EACH;
	end_hog(pid);
	MUST(pan_child_kill(&child, SIGKILL));

	more = gpu > anon ? gpu : anon;
	less = gpu > anon ? anon : gpu;
	bench_sample("lost/share", gpu, "J.pressure.gpu%s", suffix);
	bench_sample("lost/share", anon, "J.pressure.anon%s", suffix);
	/* Nothing at all on one side is as bad as it gets. */
	bench_sample("more/less", less > more / 1000 ? more / less : 1000,
		     "J.pressure.ratio%s", suffix);
	for (i = 0; i < STEPS; i++)
		buffers_restore(&parts[i]);
	for (i = 0; i < STEPS; i++) {
		buffers_check(&parts[i]);
		buffers_destroy(&parts[i]);
	}
}

static void measure(struct pan_dev *dev)
{
	static const unsigned int swappiness[] = { 60, 200, 0 };
	size_t i;

	/* What's read for the second time counts more, so nobody gets the first one. */
	read_files(1);
	for (i = 0; i < ARRAY_SIZE(swappiness); i++)
		idle_beside_reads(dev, swappiness[i]);
	working_beside_reads(dev);
	pressure(dev);
}

int main(void)
{
	struct pan_dev dev;

	bench_open(&dev);
	swap_use(ZRAM_SWAP);
	client_create(&dev, &client);
	suffix = ".lru";
	if (!access(LRU_GEN, F_OK))
		MUST(pan_write_file(LRU_GEN, "n"));
	measure(&dev);
	if (!access(LRU_GEN, F_OK)) {
		suffix = ".mglru";
		MUST(pan_write_file(LRU_GEN, "y"));
		measure(&dev);
	}
	client_destroy(&client);
	pan_close(&dev);
	return 0;
}
