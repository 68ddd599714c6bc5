/* SPDX-License-Identifier: MIT */
/* What boot leaves to the rest of the kernel. */
#pragma once

#include <abi/info.h>

/* The information page, writable in the physical map; read only in servers. Valid before the first thread
 * runs. */
extern struct info_page *info_page;
