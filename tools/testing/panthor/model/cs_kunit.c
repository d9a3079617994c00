// SPDX-License-Identifier: GPL-2.0
/*
 * The interpreter once more, for its tests: it has no ties to the rest of the
 * model, so these need no export from there.
 */
#include "cs.c"
