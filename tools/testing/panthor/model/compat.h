/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kernels disagree about: the model is built for 6.12 and for 7.3.
 */
#ifndef MALI_CSF_COMPAT_H
#define MALI_CSF_COMPAT_H

#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/version.h>

/* MODULE_IMPORT_NS() wants a string since 6.13. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define CSF_IMPORT_NS(name)	MODULE_IMPORT_NS(name)
#else
#define CSF_IMPORT_NS(name)	MODULE_IMPORT_NS(#name)
#endif

/**
 * csf_page_is_slab() - Whether a page belongs to a slab, such as that of page tables
 * @page: any page of RAM
 *
 * PageSlab() looked at the head of a compound page until 6.17, and looks at the page
 * itself since then, where tail pages don't have the type.
 */
static inline bool csf_page_is_slab(struct page *page)
{
	return PageSlab(compound_head(page));
}

#endif /* MALI_CSF_COMPAT_H */
