// SPDX-License-Identifier: GPL-2.0
/*
 * P: GPU memory half as large again as RAM, used VM by VM: how much is resident,
 * evicted and in swap over time. No target: for the plot.
 *
 * needs: drm-evicted-memory
 * guest: --mem 256M
 * boots: 1
 */
#include <signal.h>
#include <sys/wait.h>

#include "bench.h"

#define CLIENTS		6
#define SIZE		PAN_SZ_1M
#define BUFFERS		64		/* of a client */
#define TURNS		30
#define PERIOD_US	20000

static double mib(__u64 bytes)
{
	return (double)bytes / PAN_SZ_1M;
}

static void print_state(pid_t pid, int fd, double start)
{
	struct pan_fdinfo info;
	__u64 total, free;

	MUST(pan_fdinfo_read_pid(pid, fd, &info));
	MUST(pan_swap_total(&total));
	MUST(pan_swap_free(&free));
	printf("series %.3f %.1f %.1f %.1f\n", (bench_now_us() - start) / 1e6,
	       mib(info.resident), mib(info.evicted), mib(total - free));
	fflush(stdout);
}

/* Another process looks, at any time. */
static pid_t start_observer(int fd, double start)
{
	pid_t parent = getpid(), pid = MUST(fork());

	if (pid)
		return pid;
	for (;;) {
		print_state(parent, fd, start);
		usleep(PERIOD_US);
	}
}

int main(void)
{
	static struct client clients[CLIENTS];
	static struct buffers buffers[CLIENTS];
	double start = bench_now_us();
	struct pan_dev dev;
	pid_t observer;
	int i, turn;

	bench_open(&dev);
	observer = start_observer(dev.fd, start);
	for (i = 0; i < CLIENTS; i++) {
		client_create(&dev, &clients[i]);
		buffers_create(&buffers[i], PRIVATE, &clients[i], SIZE, BUFFERS);
	}
	/* rarely the same one, never all of them */
	for (turn = 0; turn < TURNS; turn++) {
		i = turn / 3 % CLIENTS;
		buffers_check(&buffers[i]);
		usleep(PERIOD_US);
	}
	start = bench_now_us() - start;
	kill(observer, SIGKILL);
	waitpid(observer, NULL, 0);
	bench_sample("s", start / 1e6, "P.run");
	return 0;
}
