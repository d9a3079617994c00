// SPDX-License-Identifier: GPL-2.0
/*
 * The library's parsers, on texts: no GPU needed. They are strict, so that the
 * tests which use them notice when the format changes.
 */
#include "pan_test.h"

TEST(fdinfo_all_keys)
{
	struct pan_fdinfo info;

	ASSERT_EQ(0, pan_fdinfo_parse("pos:\t0\nflags:\t02100002\nmnt_id:\t18\nino:\t260\n"
				      "drm-driver:\tpanthor\ndrm-client-id:\t7\n"
				      "drm-total-memory:\t5 MiB\ndrm-shared-memory:\t0\n"
				      "drm-active-memory:\t0\ndrm-resident-memory:\t12 KiB\n"
				      "drm-evicted-memory:\t4096\n"
				      "drm-engine-panthor:\t123456789012 ns\n"
				      "panthor-resident-memory:\t1 KiB\n"
				      "panthor-evicted-memory:\t0\n", &info));
	EXPECT_STREQ("panthor", info.driver);
	EXPECT_EQ(7, info.client_id);
	EXPECT_EQ(5 << 20, info.total);
	EXPECT_EQ(12 << 10, info.resident);
	EXPECT_EQ(4096, info.evicted);
	EXPECT_EQ(1024, info.drv_resident);
	EXPECT_EQ(123456789012ULL, info.engine);
	EXPECT_EQ(PAN_FDINFO_SHARED, info.present & PAN_FDINFO_SHARED);
	EXPECT_EQ(0, info.present & PAN_FDINFO_PURGEABLE);
}

TEST(fdinfo_refuses)
{
	static const char * const bad[] = {
		"drm-total-memory:\t5 GiB\n",
		"drm-total-memory:\t5MiB\n",
		"drm-total-memory:\t-5\n",
		"drm-total-memory:\t\n",
		"drm-total-memory:\t5 KiB B\n",
		"drm-total-memory:\t0x5\n",
		"drm-total-memory:\t5\ndrm-total-memory:\t5\n",
		"drm-client-id:\tseven\n",
		"drm-driver:\t\n",
		"drm-engine-panthor:\t5\n",
		"drm-engine-panthor:\t5 us\n",
		"drm-engine-panthor:\t-5 ns\n",
		"drm-total-memory\n",
		"drm-total-memory:\t5",
	};
	struct pan_fdinfo info;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EPROTO, pan_fdinfo_parse(bad[i], &info))
			TH_LOG("accepted text %zu", i);
}

#define GEMS_HEAD \
	"GEM state flags: imported (0x1) | exported (0x2) | evicted (0x4)\n" \
	"GEM usage flags: kernel (0x1) | fw-mapped (0x2)\n\n" \
	"created-by                      global-name     refcount   evictions  size            " \
	"resident-size   file-offset       state      usage      label\n" \
	"-------------------------------------------------------------------------------\n"
#define GEMS_LINE \
	"a b/c/1234                      0               1          2          8192            " \
	"4096            0x100000          0x4        0x1        CS ring buffer\n"
#define GEMS_TOTAL "Total size: 8192, Total resident: 4096, Total reclaimable: 0\n"

TEST(gems_line)
{
	struct pan_gems gems;

	ASSERT_EQ(0, pan_gems_parse(GEMS_HEAD GEMS_LINE "\n" GEMS_TOTAL, &gems));
	ASSERT_EQ(1, gems.count);
	EXPECT_STREQ("a b/c", gems.gems[0].comm);
	EXPECT_EQ(1234, gems.gems[0].tgid);
	EXPECT_EQ(1, gems.gems[0].refcount);
	EXPECT_EQ(2, gems.gems[0].evictions);
	EXPECT_EQ(8192, gems.gems[0].size);
	EXPECT_EQ(4096, gems.gems[0].resident);
	EXPECT_EQ(0x100000, gems.gems[0].file_offset);
	EXPECT_EQ(PAN_GEM_EVICTED, gems.gems[0].state);
	EXPECT_EQ(PAN_GEM_KERNEL, gems.gems[0].usage);
	EXPECT_STREQ("CS ring buffer", gems.gems[0].label);
	EXPECT_EQ(8192, gems.total);
	EXPECT_EQ(4096, gems.resident);
	pan_gems_free(&gems);
}

TEST(gems_refuses)
{
	static const char * const bad[] = {
		"",
		GEMS_HEAD GEMS_LINE,
		GEMS_HEAD GEMS_LINE GEMS_TOTAL GEMS_LINE,
		GEMS_HEAD "nobody                          0 1 2 3 4 0x5 0x6 0x7\n" GEMS_TOTAL,
		GEMS_HEAD "a/12                            0 1 2 3 4 0x5 6 0x7\n" GEMS_TOTAL,
		GEMS_HEAD "a/12                            0 1 2 3 4\n" GEMS_TOTAL,
		GEMS_HEAD GEMS_LINE "Total size: 8192, Total resident: 4096\n",
	};
	struct pan_gems gems;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EPROTO, pan_gems_parse(bad[i], &gems))
			TH_LOG("accepted text %zu", i);
		pan_gems_free(&gems);
	}
}

TEST(numbers)
{
	__u64 value = 0;

	EXPECT_EQ(0, pan_parse_u64("18446744073709551615\n", 10, &value));
	EXPECT_EQ(~0ULL, value);
	EXPECT_EQ(0, pan_parse_u64("0x10", 0, &value));
	EXPECT_EQ(16, value);
	EXPECT_EQ(-ERANGE, pan_parse_u64("18446744073709551616", 10, &value));
	EXPECT_EQ(-EINVAL, pan_parse_u64("", 10, &value));
	EXPECT_EQ(-EINVAL, pan_parse_u64("-1", 10, &value));
	EXPECT_EQ(-EINVAL, pan_parse_u64("1 2", 10, &value));
}

/* The checks of contents notice each kind of damage. */
TEST(pattern)
{
	const __u64 size = 4 * PAN_PAGE_SIZE;
	__u64 *mem = aligned_alloc(PAN_PAGE_SIZE, size);

	ASSERT_NE(NULL, mem);
	pan_fill(mem, size, 42);
	EXPECT_EQ(0, pan_verify(mem, size, 42));
	EXPECT_EQ(0, pan_verify_edges(mem, size, 42));
	EXPECT_EQ(pan_pattern_sum(size, 42), pan_sum(mem, size));
	EXPECT_EQ(size / 8, pan_verify(mem, size, 43));
	/* Two pages swapped */
	pan_fill(mem, PAN_PAGE_SIZE, 42 + PAN_PAGE_SIZE / 8 * 0x9e3779b97f4a7c15ULL);
	EXPECT_EQ(2, pan_verify_edges(mem, size, 42));
	EXPECT_NE(pan_pattern_sum(size, 42), pan_sum(mem, size));
	free(mem);
}

TEST_HARNESS_MAIN
