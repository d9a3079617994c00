/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared memory of CSF firmware and host, interface version 1.x: offsets, bits
 * and where this firmware puts its blocks. Names are those of the drivers.
 */
#ifndef MALI_CSF_MODEL_FW_IFACE_H
#define MALI_CSF_MODEL_FW_IFACE_H

#include <linux/bits.h>

/* MCU addresses: the section that drivers share, at a fixed address */
#define FW_SHARED		0x04000000ULL
#define FW_GROUP_CONTROL(i)	(FW_SHARED + 0x1000 + (i) * FW_GROUP_STRIDE)
#define FW_STREAM_CONTROL(i, j)	(FW_GROUP_CONTROL(i) + 0x40 + (j) * FW_STREAM_STRIDE)
#define FW_GLB_IN		(FW_SHARED + 0x2000)
#define FW_GLB_OUT		(FW_SHARED + 0x2800)
#define FW_CSG_IN(i)		(FW_SHARED + 0x3000 + (i) * 0x800)
#define FW_CS_IN(i, j)		(FW_CSG_IN(i) + 0x80 * ((j) + 1))
#define FW_CSG_OUT(i)		(FW_SHARED + 0x8000 + (i) * 0x1000)
#define FW_CS_OUT(i, j)		(FW_CSG_OUT(i) + 0x100 * ((j) + 1))

#define FW_GROUP_STRIDE		0xa0
#define FW_STREAM_STRIDE	0x0c
#define FW_SUSPEND_SIZE		25600
/* 96 registers, 8 scoreboard slots; compute, fragment, tiler */
#define FW_STREAM_FEATURES	0x0007085f
/* below 4.0, which would change the layout */
#define FW_VERSION		0x01010000
#define FW_INSTR_FEATURES	0x71

/* Global control */
#define GLB_VERSION		0x00
#define GLB_FEATURES		0x04
#define GLB_INPUT_VA		0x08
#define GLB_OUTPUT_VA		0x0c
#define GLB_GROUP_NUM		0x10
#define GLB_GROUP_STRIDE	0x14
#define GLB_PERFCNT_SIZE	0x18
#define GLB_INSTR_FEATURES	0x1c

/* Group control */
#define GROUP_FEATURES		0x00
#define GROUP_INPUT_VA		0x04
#define GROUP_OUTPUT_VA		0x08
#define GROUP_SUSPEND_SIZE	0x0c
#define GROUP_PROTM_SUSPEND_SIZE 0x10
#define GROUP_STREAM_NUM	0x14
#define GROUP_STREAM_STRIDE	0x18

/* Stream control */
#define STREAM_FEATURES		0x00
#define STREAM_INPUT_VA		0x04
#define STREAM_OUTPUT_VA	0x08

/* Global input and output */
#define GLB_REQ			0x00
#define GLB_ACK_IRQ_MASK	0x04
#define GLB_DOORBELL_REQ	0x08
#define GLB_ACK			0x00
#define GLB_DOORBELL_ACK	0x08
#define GLB_HALT_STATUS		0x10

#define GLB_REQ_HALT		BIT(0)
#define GLB_REQ_PING		BIT(8)
/* a request is a difference between REQ and ACK */
#define GLB_REQ_TOGGLES		(GENMASK(6, 1) | GENMASK(9, 8))
/* COUNTER_EN, IDLE_EN: ACK follows REQ */
#define GLB_REQ_LEVELS		(BIT(7) | BIT(10))
#define GLB_REQ_EVENTS		GENMASK(26, 20)

/* Group input and output */
#define CSG_REQ			0x00
#define CSG_ACK_IRQ_MASK	0x04
#define CSG_DOORBELL_REQ	0x08
#define CSG_CS_IRQ_ACK		0x0c
#define CSG_ENDPOINT_REQ	0x34
#define CSG_SUSPEND_BUF		0x40
#define CSG_CONFIG		0x50
#define CSG_ACK			0x00
#define CSG_DOORBELL_ACK	0x08
#define CSG_CS_IRQ_REQ		0x0c
#define CSG_STATUS_EP_CURRENT	0x10
#define CSG_STATUS_EP_REQ	0x14
#define CSG_STATUS_STATE	0x18
#define CSG_RESOURCE_DEP	0x1c

#define CSG_REQ_STATE		GENMASK(2, 0)
#define CSG_TERMINATE		0
#define CSG_START		1
#define CSG_SUSPEND		2
#define CSG_RESUME		3
#define CSG_REQ_EP_CONFIG	BIT(4)
#define CSG_REQ_STATUS_UPDATE	BIT(5)
#define CSG_EV_SYNC_UPDATE	BIT(28)
#define CSG_EV_IDLE		BIT(29)
#define CSG_EV_PROGRESS		BIT(31)
#define CSG_REQ_EVENTS		GENMASK(31, 28)

#define CSG_STATE_IDLE		BIT(0)

/* Stream input and output */
#define CS_REQ			0x00
#define CS_CONFIG		0x04
#define CS_ACK_IRQ_MASK		0x0c
#define CS_RINGBUF_BASE		0x10
#define CS_RINGBUF_SIZE		0x18
#define CS_HEAP_START		0x20
#define CS_RINGBUF_INPUT	0x30
#define CS_RINGBUF_OUTPUT	0x38
#define CS_ACK			0x00
#define CS_STATUS_CMD_PTR	0x40
#define CS_STATUS_WAIT		0x48
#define CS_STATUS_REQ_RESOURCE	0x4c
#define CS_STATUS_SYNC_PTR	0x50
#define CS_STATUS_SYNC_VALUE	0x58
#define CS_STATUS_SCOREBOARDS	0x5c
#define CS_STATUS_BLOCKED	0x60
#define CS_STATUS_SYNC_VALUE_HI	0x64
#define CS_FAULT		0x80
#define CS_FATAL		0x84
#define CS_FAULT_INFO		0x88
#define CS_FATAL_INFO		0x90
#define CS_HEAP_VT_START	0xc0
#define CS_HEAP_VT_END		0xc4
#define CS_HEAP_FRAG_END	0xcc
#define CS_HEAP_ADDRESS		0xd0

#define CS_REQ_STATE		GENMASK(2, 0)
#define CS_STOP			0
#define CS_START		1
#define CS_REQ_IDLE_SYNC_WAIT	BIT(8)
#define CS_REQ_IDLE_EMPTY	BIT(10)
#define CS_EV_TILER_OOM		BIT(26)
#define CS_EV_FATAL		BIT(30)
#define CS_EV_FAULT		BIT(31)
#define CS_REQ_EVENTS		(BIT(26) | BIT(27) | BIT(30) | BIT(31))

#define CS_CONFIG_PRIORITY(c)	((c) & 0xf)
#define CS_CONFIG_DOORBELL(c)	(((c) >> 8) & 0xff)

#define CS_WAIT_SB_SRC_WAIT	(8 << 16)
#define CS_WAIT_COND_SHIFT	24
#define CS_WAIT_SYNC_64		BIT(30)
#define CS_WAIT_SYNC		BIT(31)
#define CS_BLOCKED_NONE		0
#define CS_BLOCKED_SYNC		3

/* CS_FATAL of a stream whose suspended state is lost */
#define CS_EXC_FW_INTERNAL_ERROR	0x68

/* Ring input and output pages */
#define RING_INSERT		0x00
#define RING_EXTRACT_INIT	0x08
#define RING_EXTRACT		0x00
#define RING_ACTIVE		0x08

#endif
