/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Seeds, patterns, deadlines and small-file helpers.
 */
#ifndef PAN_UTIL_H
#define PAN_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif

/*
 * A deadline for things that take milliseconds when all is well, and the machine
 * has nothing else to do. Only what never happens gets there.
 */
#define PAN_DEADLINE_MS		(pan_alone() ? 60000 : 10 * 60000)

/* Memory that the GPU or another process changes meanwhile. */
static inline __u64 pan_peek(const __u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void pan_poke(__u64 *p, __u64 value)
{
	__atomic_store_n(p, value, __ATOMIC_RELEASE);
}

/* util.c */
__u64 pan_seed(void);
__u64 pan_rand(__u64 *state);
bool pan_alone(void);
__u64 pan_now_ms(void);
void pan_relax(void);
int pan_poll(int (*cond)(void *arg), void *arg, int timeout_ms);
int pan_read_file(const char *path, char *buf, size_t len);
int pan_write_file(const char *path, const char *text);
int pan_read_u64(const char *path, __u64 *value);
int pan_write_u64(const char *path, __u64 value);
int pan_parse_u64(const char *text, int base, __u64 *value);

/* pattern.c: the CPU's side of the model's RANGE_* instructions */
void pan_fill(void *mem, __u64 len, __u64 seed);
__u64 pan_verify(const void *mem, __u64 len, __u64 seed);
__u64 pan_verify_edges(const void *mem, __u64 len, __u64 seed);
__u64 pan_sum(const void *mem, __u64 len);
__u64 pan_pattern_sum(__u64 len, __u64 seed);

#endif /* PAN_UTIL_H */
