// SPDX-License-Identifier: GPL-2.0
/*
 * H: how much is evicted, and written, when so much is asked for: by memory.reclaim,
 * and by kswapd. 128 MiB are idle.
 *
 * needs: debugfs "reclaim"
 * guest: --mem 512M --swap 1G
 * boots: 3
 */
#include "bench.h"

#define VMS		4
#define TOTAL		(128 * PAN_SZ_1M)
#define TAKEN		(32 * PAN_SZ_1M)
#define STABLE_US	200000

static struct client clients[VMS];
static struct buffers buffers[VMS];

static void bring_back(void)
{
	int i;

	for (i = 0; i < VMS; i++)
		buffers_restore(&buffers[i]);
}

/* Objects are evicted as a whole, so one of them doesn't count. */
static double share(__u64 bytes, __u64 asked, __u64 size)
{
	return bytes > size ? (double)(bytes - size) / asked : 0;
}

static void ask_for(struct pan_dev *dev, enum swap swap, __u64 size, __u64 bytes)
{
	struct usage before, after;
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "%s.%s.%lluM", swap_name(swap), bench_size_name(size),
		 bytes / PAN_SZ_1M);
	drop_page_cache();
	usage_read(dev, &before);
	ret = pan_memory_reclaim(bytes);
	usage_read(dev, &after);
	bench_sample("answered", !ret, "H.answered.%s", name);
	bench_sample("evicted/asked", share(after.evicted - before.evicted, bytes, size),
		     "H.evicted.%s", name);
	bench_sample("written/asked", share(after.written - before.written, bytes, size),
		     "H.written.%s", name);
	if (swap == ZRAM_SWAP && after.evicted > before.evicted)
		bench_sample("freed/evicted",
			     (double)(long long)(after.free + after.zram - before.free -
						 before.zram) / (after.evicted - before.evicted),
			     "H.freed.%s", name);
	bring_back();
}

/* kswapd goes on for a while. */
static __u64 evicted_in_the_end(struct pan_dev *dev)
{
	struct usage last, now;

	usage_read(dev, &now);
	do {
		last = now;
		usleep(STABLE_US);
		usage_read(dev, &now);
	} while (now.evicted != last.evicted);
	return now.evicted;
}

/* Somebody takes more than there is. What's over is 32 MiB. */
static void take(struct pan_dev *dev, enum swap swap, __u64 size)
{
	struct usage before;
	__u64 evicted;
	pid_t pid;

	drop_page_cache();
	usage_read(dev, &before);
	pid = hog_memory(before.free + TAKEN);
	evicted = evicted_in_the_end(dev);
	bench_sample("evicted/taken", share(evicted - before.evicted, TAKEN, size),
		     "H.kswapd.%s.%s", swap_name(swap), bench_size_name(size));
	end_hog(pid);
	bring_back();
}

static void measure(struct pan_dev *dev, enum swap swap, __u64 size)
{
	static const __u64 asked[] = { 4, 16, 32, 64 };
	size_t s;
	int i;

	for (i = 0; i < VMS; i++)
		buffers_create(&buffers[i], PRIVATE, &clients[i], size, TOTAL / VMS / size);
	for (s = 0; s < ARRAY_SIZE(asked); s++)
		ask_for(dev, swap, size, asked[s] * PAN_SZ_1M);
	take(dev, swap, size);
	for (i = 0; i < VMS; i++) {
		buffers_check(&buffers[i]);
		buffers_destroy(&buffers[i]);
	}
}

int main(void)
{
	static const __u64 sizes[] = { PAN_SZ_64K, 4 * PAN_SZ_1M };
	struct pan_dev dev;
	enum swap swap;
	size_t i;

	bench_open(&dev);
	for (i = 0; i < VMS; i++)
		client_create(&dev, &clients[i]);
	for (swap = ZRAM_SWAP; swap <= DISK_SWAP; swap++) {
		swap_use(swap);
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			measure(&dev, swap, sizes[i]);
	}
	for (i = 0; i < VMS; i++)
		client_destroy(&clients[i]);
	pan_close(&dev);
	return 0;
}
