/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What panthor_reclaim uses of IGT's library, as the package of Debian has it, of which
 * there is no package with headers. What IGT's headers have as macros is here in short.
 *
 * The library's interface isn't stable. scripts/build-igt.sh knows for which version
 * this is.
 */
#ifndef IGT_H
#define IGT_H

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <drm/panthor_drm.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define IGT_JOIN_(a, b)		a##b
#define IGT_JOIN(a, b)		IGT_JOIN_(a, b)
#define igt_unique(name)	IGT_JOIN(name, __LINE__)

/* --- igt_core --- */

extern jmp_buf igt_subtest_jmpbuf;

void igt_subtest_init_parse_opts(int *argc, char *argv[], const char *extra_short_opts,
				 const void *extra_long_opts, const char *help_str,
				 int (*handler)(int opt, int index, void *data), void *data);
void igt_exit(void) __attribute__((noreturn));
bool __igt_fixture(void);
void __igt_fixture_complete(void);
bool __igt_run_subtest(const char *name, const char *file, int line);
void igt_success(void);
void igt_describe_f(const char *format, ...) __attribute__((format(printf, 1, 2)));
void __igt_skip_check(const char *file, int line, const char *function, const char *expression,
		      const char *format, ...)
	__attribute__((noreturn, format(printf, 5, 6)));
void __igt_fail_assert(const char *domain, const char *file, int line, const char *function,
		       const char *expression, const char *format, ...)
	__attribute__((noreturn, format(printf, 6, 7)));
uint64_t igt_nsec_elapsed(struct timespec *start);

/* Written as "int igt_main()" */
#define igt_main()								\
	igt_unique(unused_)(void);						\
	static void igt_unique(real_main_)(void);				\
	int main(int argc, char **argv)						\
	{									\
		igt_subtest_init_parse_opts(&argc, argv, NULL, NULL, NULL, NULL, NULL);	\
		igt_unique(real_main_)();					\
		igt_exit();							\
	}									\
	static void igt_unique(real_main_)(void)

#define igt_fixture()								\
	for (volatile int igt_unique(once_) = 0;				\
	     igt_unique(once_) < 1 && __igt_fixture() && !sigsetjmp(igt_subtest_jmpbuf, 1); \
	     igt_unique(once_)++, __igt_fixture_complete())

#define igt_subtest(name)							\
	for (; __igt_run_subtest(name, __FILE__, __LINE__) &&			\
	       !sigsetjmp(igt_subtest_jmpbuf, 1); igt_success())

#define igt_subtest_f(format, ...)						\
	for (char igt_unique(name_)[64];					\
	     snprintf(igt_unique(name_), sizeof(igt_unique(name_)), format, __VA_ARGS__), \
	     __igt_run_subtest(igt_unique(name_), __FILE__, __LINE__) &&	\
	     !sigsetjmp(igt_subtest_jmpbuf, 1); igt_success())

#define igt_describe(text)	igt_describe_f("%s", text)

#define igt_until_timeout(seconds)						\
	for (struct timespec igt_unique(start_) = {};				\
	     igt_nsec_elapsed(&igt_unique(start_)) < (seconds) * 1000000000ull;)

#define igt_require_f(expr, ...) do {						\
	if (!(expr))								\
		__igt_skip_check(__FILE__, __LINE__, __func__, #expr, __VA_ARGS__); \
} while (0)

#define igt_assert_f(expr, ...) do {						\
	if (!(expr))								\
		__igt_fail_assert(NULL, __FILE__, __LINE__, __func__, #expr, __VA_ARGS__); \
} while (0)

#define igt_assert(expr)	igt_assert_f(expr, " ")

#define IGT_ASSERT_CMP(type, format, a, op, inverse, b) do {			\
	const type igt_a = (a), igt_b = (b);					\
										\
	if (!(igt_a op igt_b))							\
		__igt_fail_assert(NULL, __FILE__, __LINE__, __func__, #a " " #op " " #b, \
				  "error: " format " " #inverse " " format "\n", igt_a, igt_b); \
} while (0)

#define igt_assert_eq(a, b)	IGT_ASSERT_CMP(int, "%d", a, ==, !=, b)
#define igt_assert_neq(a, b)	IGT_ASSERT_CMP(int, "%d", a, !=, ==, b)
#define igt_assert_eq_u32(a, b)	IGT_ASSERT_CMP(uint32_t, "%#x", a, ==, !=, b)
#define igt_assert_eq_u64(a, b)	IGT_ASSERT_CMP(uint64_t, "%#" PRIx64, a, ==, !=, b)

/* --- drmtest, intel_os --- */

#define DRIVER_PANTHOR		(1 << 11)

int drm_open_driver(int chipset);
int drm_close_driver(int fd);
uint64_t igt_get_total_swap_mb(void);

#endif /* IGT_H */
