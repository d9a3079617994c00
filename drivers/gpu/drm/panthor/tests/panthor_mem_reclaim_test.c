// SPDX-License-Identifier: GPL-2.0 or MIT

/* KUnit test suite for what can be written to mem_reclaim, and mem_claim. */

#include <linux/errno.h>
#include <linux/limits.h>

#include <kunit/test.h>

#include "../panthor_kunit.h"

/* Not a process ID, so we notice when it's overwritten. */
#define PANTHOR_PARSE_UNTOUCHED		-12345

/**
 * struct panthor_parse_case - Something that's written to mem_reclaim, or mem_claim
 */
struct panthor_parse_case {
	/** @desc: Description. */
	const char *desc;

	/** @text: What's written. */
	const char *text;

	/** @ret: What parsing it returns. */
	int ret;

	/** @tgid: The process ID this stands for, if that works. */
	pid_t tgid;
};

static const struct panthor_parse_case panthor_parse_cases[] = {
	{ "one", "1", 0, 1 },
	{ "several digits", "4321", 0, 4321 },
	{ "newline at the end", "4321\n", 0, 4321 },
	{ "plus sign", "+4321\n", 0, 4321 },
	{ "leading zeros aren't octal", "0010", 0, 10 },
	{ "largest number", "2147483647", 0, INT_MAX },

	{ "nothing", "", -EINVAL },
	{ "newline only", "\n", -EINVAL },
	{ "blank only", " ", -EINVAL },
	{ "sign only", "+", -EINVAL },
	{ "two signs", "+-1", -EINVAL },
	{ "blank before", " 4321", -EINVAL },
	{ "tab before", "\t4321", -EINVAL },
	{ "newline before", "\n4321", -EINVAL },
	{ "blank after", "4321 ", -EINVAL },
	{ "two newlines after", "4321\n\n", -EINVAL },
	{ "carriage return after", "4321\r\n", -EINVAL },
	{ "two numbers", "4321 4322", -EINVAL },
	{ "two lines", "4321\n4322\n", -EINVAL },
	{ "letters after", "4321x", -EINVAL },
	{ "letters only", "self", -EINVAL },
	{ "hexadecimal", "0x10", -EINVAL },
	{ "hexadecimal without prefix", "ff", -EINVAL },
	{ "fraction", "1.0", -EINVAL },
	{ "exponent", "1e3", -EINVAL },
	{ "digits that aren't ASCII", "\xd9\xa1", -EINVAL },

	{ "zero", "0", -EINVAL },
	{ "minus zero", "-0", -EINVAL },
	{ "minus one", "-1", -EINVAL },
	{ "smallest number", "-2147483648", -EINVAL },

	{ "too large by one", "2147483648", -ERANGE },
	{ "too small by one", "-2147483649", -ERANGE },
	{ "one with 32 bits", "4294967297", -ERANGE },
	{ "one with 64 bits", "18446744073709551617", -ERANGE },
	{ "more digits than any number has", "100000000000000000000000000000000", -ERANGE },
};

static void panthor_parse_desc(const struct panthor_parse_case *c, char *desc)
{
	strscpy(desc, c->desc, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(panthor_parse, panthor_parse_cases, panthor_parse_desc);

/* Positive decimal numbers are process IDs, everything else is refused. */
static void panthor_mem_reclaim_test_parse(struct kunit *test)
{
	const struct panthor_parse_case *c = test->param_value;
	pid_t tgid = PANTHOR_PARSE_UNTOUCHED;

	KUNIT_EXPECT_EQ(test, panthor_mem_reclaim_parse(c->text, &tgid), c->ret);
	KUNIT_EXPECT_EQ(test, tgid, c->ret ? PANTHOR_PARSE_UNTOUCHED : c->tgid);
}

static struct kunit_case panthor_mem_reclaim_tests[] = {
	KUNIT_CASE_PARAM(panthor_mem_reclaim_test_parse, panthor_parse_gen_params),
	{}
};

static struct kunit_suite panthor_mem_reclaim_test_suite = {
	.name = "panthor_mem_reclaim",
	.test_cases = panthor_mem_reclaim_tests,
};

kunit_test_suite(panthor_mem_reclaim_test_suite);
