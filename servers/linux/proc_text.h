/* SPDX-License-Identifier: MIT */
/* What the files of /proc say: the formats of Linux, as free, ps, top and people read them. The figures are
 * asked of the other servers. */
#pragma once

#include "text.h"

/* The text of the file with that node id (virtual.h). -E_NOENT: the process is gone; -E_NOMEM. */
err proc_text(struct text *t, u64 id) must_check;
/* what: 1 page cache, 2 slabs, 3 both; magazines in any case. */
void drop_caches(u64 what);
u64 random_next(void);
