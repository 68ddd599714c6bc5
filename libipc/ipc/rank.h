/* SPDX-License-Identifier: MIT */
/* Who may call whom. */
#pragma once

#include <abi/types.h>

/* May server `from` (enum server_id) call what the capability in `slot` names, by the ranks of
 * <proto/ranks.h>? Slots that are no other server's: true. Pure. */
bool call_goes_down(u32 from, u32 slot) must_check;
