// SPDX-License-Identifier: GPL-2.0
/*
 * Writes a firmware image (mali_csffw.bin) for the software Mali CSF GPU.
 *
 * The image has no code, as the model's firmware is part of the model. What it
 * has is what drivers demand: a header, the shared interface section, and for
 * checks a read-only executable section with known contents. Layout as parsed
 * by panthor_fw.c. Broken images for tests of the parser are made by --bad.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mali_csf_model_uapi.h"

#define BIT(n)			(1U << (n))

#define FW_MAGIC		0xc3f13a6eU
#define FW_MAJOR		0
#define FW_MINOR		3

/* Entry header: type 7:0, size 15:8 */
#define ENTRY_SECTION		0
#define ENTRY_CONFIG		1
#define ENTRY_BUILD_INFO	6
#define ENTRY_UNKNOWN		99
#define ENTRY_OPTIONAL		BIT(31)

/* Section flags */
#define SECTION_RD		BIT(0)
#define SECTION_WR		BIT(1)
#define SECTION_EX		BIT(2)
#define SECTION_CACHED		BIT(3)
#define SECTION_COHERENT	BIT(4)
#define SECTION_UNKNOWN		BIT(8)
#define SECTION_SHARED		BIT(30)
#define SECTION_ZERO		BIT(31)

#define SHARED_VA		0x04000000U
#define SHARED_FLAGS		(SECTION_RD | SECTION_WR | SECTION_COHERENT | \
				 SECTION_SHARED | SECTION_ZERO)
#define CODE_FLAGS		(SECTION_RD | SECTION_EX | SECTION_CACHED)
#define CODE_SEED		0x6d616c692d637366ULL
#define PAGE_SIZE		4096U

#define MAX_IMAGE		(16U << 20)
#define MAX_SECTION		(8U << 20)

static const char build_info[] = "git_sha: software-mali-csf-gpu";

struct header {
	__u32 magic;
	__u8 minor;
	__u8 major;
	__u16 pad1;
	__u32 version_hash;
	__u32 pad2;
	__u32 size;
};

struct section {
	__u32 flags;
	__u32 va_start;
	__u32 va_end;
	__u32 data_start;
	__u32 data_end;
};

/**
 * struct image - an image under construction, in the byte order of the file
 * @data: the file
 * @size: bytes so far
 * @shared: offset of the shared section's body, 0 = none
 * @code: offset of the executable section's body, 0 = none
 */
struct image {
	__u8 *data;
	size_t size;
	size_t shared;
	size_t code;
};

struct options {
	const char *output;
	const char *bad;
	__u32 shared_size;
	__u32 code_size;
	bool minimal;
};

/* Reserve zeroed bytes at the end; returns their offset */
static size_t append(struct image *image, size_t len)
{
	size_t offset = image->size;

	if (len > MAX_IMAGE - offset)
		errx(1, "image larger than %u bytes", MAX_IMAGE);
	image->size += len;
	return offset;
}

static void put32(struct image *image, size_t offset, __u32 value)
{
	value = htole32(value);
	memcpy(image->data + offset, &value, sizeof(value));
}

static void put64(struct image *image, size_t offset, __u64 value)
{
	value = htole64(value);
	memcpy(image->data + offset, &value, sizeof(value));
}

static __u32 get32(const struct image *image, size_t offset)
{
	__u32 value;

	memcpy(&value, image->data + offset, sizeof(value));
	return le32toh(value);
}

/* An entry with @len bytes of body; returns the offset of the body */
static size_t append_entry(struct image *image, __u32 type, size_t len)
{
	size_t offset = append(image, sizeof(__u32));

	put32(image, offset, type | (__u32)(len + sizeof(__u32)) << 8);
	return append(image, len);
}

/* Names are padded with zeroes to the entry alignment of 4 bytes */
static size_t append_section(struct image *image, __u32 flags, __u32 va,
			     __u32 size, const char *name)
{
	size_t name_len = (strlen(name) + 3) & ~3UL;
	size_t body = append_entry(image, ENTRY_SECTION, sizeof(struct section) + name_len);

	put32(image, body + offsetof(struct section, flags), flags);
	put32(image, body + offsetof(struct section, va_start), va);
	put32(image, body + offsetof(struct section, va_end), va + size);
	memcpy(image->data + body + sizeof(struct section), name, strlen(name));
	return body;
}

/* A configuration item, as real images have: address, minimum, maximum, name */
static void append_config(struct image *image)
{
	static const char name[8] = "model";
	size_t body = append_entry(image, ENTRY_CONFIG | ENTRY_OPTIONAL, 12 + sizeof(name));

	put32(image, body + 8, ~0U);
	memcpy(image->data + body + 12, name, sizeof(name));
}

/* The section that the model finds again, see struct csf_fw_code */
static void append_code(struct image *image, __u32 size)
{
	__u64 words = (size - sizeof(struct csf_fw_code)) / sizeof(__u64);
	size_t data = append(image, size);
	__u64 sum = 0;

	for (__u64 i = 0; i < words; i++) {
		__u64 word = csf_pattern(CODE_SEED, i);

		put64(image, data + sizeof(struct csf_fw_code) + 8 * i, word);
		sum = csf_sum_step(sum, word);
	}
	put64(image, data + offsetof(struct csf_fw_code, magic), CSF_FW_CODE_MAGIC);
	put64(image, data + offsetof(struct csf_fw_code, words), words);
	put64(image, data + offsetof(struct csf_fw_code, seed), CODE_SEED);
	put64(image, data + offsetof(struct csf_fw_code, sum), sum);
	put32(image, image->code + offsetof(struct section, data_start), data);
	put32(image, image->code + offsetof(struct section, data_end), image->size);
}

static void append_data(struct image *image, const struct options *options, size_t info)
{
	append_code(image, options->code_size);
	put32(image, info, image->size);
	put32(image, info + 4, sizeof(build_info));
	memcpy(image->data + append(image, sizeof(build_info)), build_info, sizeof(build_info));
}

static bool is_bad(const struct options *options, const char *kind)
{
	return options->bad && !strcmp(options->bad, kind);
}

/* Entries that a broken image has too many or too few of */
static void append_entries(struct image *image, const struct options *options)
{
	__u32 shared_flags = SHARED_FLAGS;

	if (is_bad(options, "not-shared"))
		shared_flags &= ~SECTION_SHARED;
	if (!is_bad(options, "no-shared"))
		image->shared = append_section(image, shared_flags, SHARED_VA,
					       options->shared_size,
					       options->minimal ? "" : "shared");
	if (is_bad(options, "overlap"))
		append_section(image, SECTION_RD | SECTION_SHARED,
			       SHARED_VA + options->shared_size - PAGE_SIZE,
			       2 * PAGE_SIZE, "overlap");
	if (is_bad(options, "unknown-entry"))
		append_entry(image, ENTRY_UNKNOWN, 4);
}

static void build(struct image *image, const struct options *options)
{
	size_t info = 0;

	append(image, sizeof(struct header));
	put32(image, offsetof(struct header, magic), FW_MAGIC);
	if (!options->minimal) {
		image->data[offsetof(struct header, minor)] = FW_MINOR;
		image->data[offsetof(struct header, major)] = FW_MAJOR;
		image->code = append_section(image, CODE_FLAGS, CSF_FW_CODE_VA,
					     options->code_size, "code");
	}
	append_entries(image, options);
	if (!options->minimal) {
		append_config(image);
		info = append_entry(image, ENTRY_BUILD_INFO | ENTRY_OPTIONAL, 8);
	}
	put32(image, offsetof(struct header, size), image->size);
	if (!options->minimal)
		append_data(image, options, info);
}

/* Ways to break an image that is complete otherwise */

static void break_magic(struct image *image)
{
	put32(image, offsetof(struct header, magic), ~FW_MAGIC);
}

static void break_major(struct image *image)
{
	image->data[offsetof(struct header, major)] = FW_MAJOR + 1;
}

static void break_short(struct image *image)
{
	image->size = sizeof(struct header) - 4;
}

static void break_truncated(struct image *image)
{
	image->size = get32(image, offsetof(struct header, size)) - 4;
}

static void break_truncated_data(struct image *image)
{
	image->size = get32(image, image->code + offsetof(struct section, data_start)) + 8;
}

static void break_no_entries(struct image *image)
{
	put32(image, offsetof(struct header, size), sizeof(struct header));
}

static void break_entry_size(struct image *image)
{
	put32(image, sizeof(struct header), get32(image, sizeof(struct header)) + (2 << 8));
}

static void break_entry_zero(struct image *image)
{
	put32(image, sizeof(struct header), ENTRY_SECTION);
}

static void break_entry_beyond(struct image *image)
{
	size_t end = get32(image, offsetof(struct header, size));

	put32(image, offsetof(struct header, size), end - 4);
}

static void break_entry_short(struct image *image)
{
	put32(image, sizeof(struct header), ENTRY_SECTION | 12 << 8);
}

static void break_flags(struct image *image)
{
	put32(image, image->shared, get32(image, image->shared) | SECTION_UNKNOWN);
}

static void swap_words(struct image *image, size_t a, size_t b)
{
	__u32 value = get32(image, a);

	put32(image, a, get32(image, b));
	put32(image, b, value);
}

static void break_va_order(struct image *image)
{
	swap_words(image, image->shared + offsetof(struct section, va_start),
		   image->shared + offsetof(struct section, va_end));
}

static void break_va_align(struct image *image)
{
	size_t end = image->shared + offsetof(struct section, va_end);

	put32(image, end, get32(image, end) - 16);
}

static void break_empty_shared(struct image *image)
{
	put32(image, image->shared + offsetof(struct section, va_end), SHARED_VA);
}

static void break_data_order(struct image *image)
{
	swap_words(image, image->code + offsetof(struct section, data_start),
		   image->code + offsetof(struct section, data_end));
}

static void break_data_size(struct image *image)
{
	put32(image, image->code + offsetof(struct section, va_end), CSF_FW_CODE_VA + PAGE_SIZE);
}

static void break_checksum(struct image *image)
{
	size_t data = get32(image, image->code + offsetof(struct section, data_start));

	image->data[data + sizeof(struct csf_fw_code)] ^= 1;
}

/**
 * struct bad - a kind of broken image
 * @name: argument of --bad
 * @apply: damages the complete image; NULL where build() does it
 * @needs_code: makes no sense with --minimal
 * @text: what is wrong
 */
struct bad {
	const char *name;
	void (*apply)(struct image *image);
	bool needs_code;
	const char *text;
};

static const struct bad bad_kinds[] = {
	{ "magic", break_magic, false, "wrong magic number" },
	{ "major", break_major, false, "unsupported header version" },
	{ "short", break_short, false, "file shorter than the header" },
	{ "truncated", break_truncated, false, "file ends in the entry table" },
	{ "truncated-data", break_truncated_data, true, "file ends in a section's data" },
	{ "no-entries", break_no_entries, false, "header without entries" },
	{ "entry-size", break_entry_size, false, "entry size not a multiple of 4" },
	{ "entry-zero", break_entry_zero, false, "entry size 0" },
	{ "entry-short", break_entry_short, false, "section entry without all fields" },
	{ "entry-beyond", break_entry_beyond, false, "last entry exceeds the table" },
	{ "unknown-entry", NULL, false, "unknown entry that is not optional" },
	{ "no-shared", NULL, false, "no section at the interface address" },
	{ "not-shared", NULL, false, "interface section not marked shared" },
	{ "empty-shared", break_empty_shared, false, "interface section of size 0" },
	{ "overlap", NULL, false, "two sections at the same address" },
	{ "flags", break_flags, false, "unknown section flag" },
	{ "va-order", break_va_order, false, "section ends before it starts" },
	{ "va-align", break_va_align, false, "section end not page aligned" },
	{ "data-order", break_data_order, true, "data ends before it starts" },
	{ "data-size", break_data_size, true, "more data than the section holds" },
	{ "checksum", break_checksum, true,
	  "a bit of the code section flipped: drivers accept it, the model notices" },
};

static const struct bad *find_bad(const char *name)
{
	for (size_t i = 0; i < sizeof(bad_kinds) / sizeof(*bad_kinds); i++) {
		if (!strcmp(bad_kinds[i].name, name))
			return &bad_kinds[i];
	}
	errx(1, "unknown kind '%s' for --bad, see --help", name);
}

static void print_help(void)
{
	printf("usage: fwgen -o FILE [OPTION]...\n"
	       "Write a firmware image for the software Mali CSF GPU.\n"
	       "\n"
	       "  -o, --output FILE       where to write it\n"
	       "  -b, --bad KIND          write a broken image, see below\n"
	       "  -m, --minimal           interface section only, 44 bytes\n"
	       "  -c, --code-size BYTES   size of the code section, default 16384\n"
	       "  -s, --shared-size BYTES size of the interface section, default 65536\n"
	       "  -h, --help              this text\n"
	       "\n"
	       "Sizes are multiples of 4096, from 4096 to %u. Kinds of broken images:\n",
	       MAX_SECTION);
	for (size_t i = 0; i < sizeof(bad_kinds) / sizeof(*bad_kinds); i++)
		printf("  %-16s %s\n", bad_kinds[i].name, bad_kinds[i].text);
}

static __u32 parse_size(const char *option, const char *arg)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(arg, &end, 0);
	if (errno || end == arg || *end || value < PAGE_SIZE || value > MAX_SECTION ||
	    value % PAGE_SIZE)
		errx(1, "%s: '%s' is not a multiple of %u from %u to %u", option, arg,
		     PAGE_SIZE, PAGE_SIZE, MAX_SECTION);
	return value;
}

static void check_options(const struct options *options)
{
	if (!options->output)
		errx(1, "no output file, use -o FILE (see --help)");
	if (!options->bad)
		return;
	if (find_bad(options->bad)->needs_code && options->minimal)
		errx(1, "--bad %s needs the code section that --minimal leaves out", options->bad);
	if (!strcmp(options->bad, "data-size") && options->code_size == PAGE_SIZE)
		errx(1, "--bad data-size needs a --code-size of more than %u", PAGE_SIZE);
}

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option longopts[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "bad", required_argument, NULL, 'b' },
		{ "minimal", no_argument, NULL, 'm' },
		{ "code-size", required_argument, NULL, 'c' },
		{ "shared-size", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:b:mc:s:h", longopts, NULL)) != -1) {
		switch (c) {
		case 'o':
			options->output = optarg;
			break;
		case 'b':
			options->bad = optarg;
			break;
		case 'm':
			options->minimal = true;
			break;
		case 'c':
			options->code_size = parse_size("--code-size", optarg);
			break;
		case 's':
			options->shared_size = parse_size("--shared-size", optarg);
			break;
		case 'h':
			print_help();
			exit(0);
		default:
			errx(1, "see --help");
		}
	}
	if (optind < argc)
		errx(1, "unexpected argument '%s', see --help", argv[optind]);
	check_options(options);
}

/* Leaves no half-written file behind, but does not remove a device or pipe */
static void discard(const char *path)
{
	struct stat st;

	if (!stat(path, &st) && S_ISREG(st.st_mode))
		unlink(path);
}

static void write_image(const struct image *image, const char *path)
{
	FILE *file = fopen(path, "wb");
	int error = 0;

	if (!file)
		err(1, "cannot create %s", path);
	if (fwrite(image->data, 1, image->size, file) != image->size)
		error = errno;
	if (fclose(file) && !error)
		error = errno;
	if (error) {
		discard(path);
		errx(1, "cannot write %s: %s", path, strerror(error));
	}
}

int main(int argc, char **argv)
{
	struct options options = { .shared_size = 65536, .code_size = 16384 };
	struct image image = { .data = calloc(1, MAX_IMAGE) };

	if (!image.data)
		errx(1, "out of memory");
	parse_options(argc, argv, &options);
	build(&image, &options);
	if (options.bad && find_bad(options.bad)->apply)
		find_bad(options.bad)->apply(&image);
	write_image(&image, options.output);
	free(image.data);
	return 0;
}
