// SPDX-License-Identifier: GPL-2.0
/*
 * For make board, preloaded into programs that use the GPU: counts what they ask of
 * panthor, and what of it fails. A submission that fails is a lost device for Mesa,
 * which needn't say so.
 *
 * The counters are in the file $SUBMITS, shared by all programs, so that they survive
 * those that are killed: four 64-bit numbers, submissions and VM_BINDs, and those
 * that failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <drm/panthor_drm.h>

struct counters {
	_Atomic uint64_t submits, binds, failed_submits, failed_binds;
};

static struct counters *counters;

__attribute__((constructor)) static void open_counters(void)
{
	const char *name = getenv("SUBMITS");
	int fd = name ? open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;

	if (fd < 0)
		return;
	if (!ftruncate(fd, sizeof(*counters))) {
		counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (counters == MAP_FAILED)
			counters = NULL;
	}
	close(fd);
}

static void count(unsigned long request, int failed)
{
	if (!counters)
		return;
	if (request == DRM_IOCTL_PANTHOR_GROUP_SUBMIT) {
		counters->submits++;
		counters->failed_submits += failed;
	} else if (request == DRM_IOCTL_PANTHOR_VM_BIND) {
		counters->binds++;
		counters->failed_binds += failed;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int ret;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	ret = syscall(SYS_ioctl, fd, request, arg);
	/* libdrm repeats what was interrupted */
	if (!ret || (errno != EINTR && errno != EAGAIN))
		count(request, ret != 0);
	return ret;
}
