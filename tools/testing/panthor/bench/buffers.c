// SPDX-License-Identifier: GPL-2.0
/*
 * Populations of buffers.
 */
#include "bench.h"

/* Registers of the stream that writes to each page. */
#define WORD	0
#define ADDR	2
#define LEFT	4

/* Map buffers one after the other, many in an ioctl. */
void buffers_bind(struct pan_vm *vm, struct pan_bo *bos, __u32 count, __u64 va)
{
	struct drm_panthor_vm_bind_op ops[OPS];
	__u32 i, n;

	for (i = 0; i < count; i += n) {
		for (n = 0; n < OPS && i + n < count; n++, va += bos[i].size)
			ops[n] = pan_op_map(&bos[i + n], 0, va, bos[i].size, 0);
		MUST(pan_vm_bind(vm, 0, ops, n, NULL));
	}
}

/* A word in each page, so that none is empty. */
static void fill(struct buffers *b)
{
	struct pan_cs cs;
	__u32 loop;

	pan_cs_init(&cs);
	pan_cs_set64(&cs, WORD, 0x5a5a1234);
	pan_cs_set64(&cs, ADDR, b->va);
	pan_cs_set32(&cs, LEFT, b->count * (b->size / PAN_PAGE_SIZE));
	loop = pan_cs_here(&cs);
	pan_cs_emit(&cs, csf_store_multiple(WORD, ADDR, 3, 0));
	pan_cs_emit(&cs, csf_add_imm64(WORD, WORD, 1));
	pan_cs_emit(&cs, csf_add_imm64(ADDR, ADDR, PAN_PAGE_SIZE));
	pan_cs_emit(&cs, csf_add_imm32(LEFT, LEFT, -1));
	pan_cs_branch(&cs, CSF_COND_GT, LEFT, loop);
	MUST(pan_ctx_run(&b->clients->ctx, &cs));
}

static int clients_of(const struct buffers *b)
{
	return b->kind == SHARED ? 2 : b->kind == PRIVATE ? 1 : 0;
}

static void touch(struct buffers *b)
{
	__u32 i;

	for (i = 0; i < b->count; i++)
		memory_touch(b->bos[i].map, b->size);
}

static __u64 gpu_sum(struct buffers *b)
{
	__u64 sum;

	MUST(pan_gpu_sum(&b->clients->ctx, b->va, b->count * b->size, &sum));
	gpu_settle(b->clients->ctx.dev);
	return sum;
}

/**
 * buffers_create() - Make buffers, give them content.
 * @b: filled in
 * @kind: PRIVATE: mapped in the VM of the client, SHARED: in those of two
 *	  clients, MMAPPED: in none, but by the CPU
 * @clients: who uses them
 * @size: of each, in bytes
 * @count: their number
 */
void buffers_create(struct buffers *b, enum kind kind, struct client *clients,
		    __u64 size, __u32 count)
{
	struct pan_vm *vm = &clients->ctx.vm;
	__u32 i;
	int c;

	*b = (struct buffers) {
		.kind = kind, .clients = clients, .size = size, .count = count,
		.bos = calloc(count, sizeof(*b->bos)),
	};
	for (i = 0; i < count; i++) {
		MUST(pan_bo_create(vm->dev, size, 0, kind == PRIVATE ? vm : NULL, &b->bos[i]));
		if (kind == MMAPPED)
			MUST(pan_bo_mmap(&b->bos[i]));
	}
	if (kind == MMAPPED) {
		touch(b);
		return;
	}
	b->va = pan_vm_alloc_va(vm, count * size, PAN_SZ_2M);
	for (c = 0; c < clients_of(b); c++)
		buffers_bind(&clients[c].ctx.vm, b->bos, count, b->va);
	fill(b);
	b->sum = gpu_sum(b);
}

void buffers_destroy(struct buffers *b)
{
	__u32 i;
	int c;

	for (c = 0; c < clients_of(b); c++)
		MUST(pan_vm_unmap(&b->clients[c].ctx.vm, b->va, b->count * b->size));
	for (i = 0; i < b->count; i++)
		MUST(pan_bo_close(&b->bos[i]));
	free(b->bos);
}

/* Bring everything back. Returns what the submitting ioctls took. */
double buffers_restore(struct buffers *b)
{
	double us = 0;
	int c;

	if (b->kind == MMAPPED)
		touch(b);
	for (c = 0; c < clients_of(b); c++) {
		us += TIME_US(client_submit(&b->clients[c]));
		client_settle(&b->clients[c]);
	}
	return us;
}

/* What is measured has to be right, too. */
void buffers_check(struct buffers *b)
{
	if (b->kind != MMAPPED && gpu_sum(b) != b->sum)
		bench_fail(__FILE__, __LINE__, "content of the buffers", -EILSEQ);
}
