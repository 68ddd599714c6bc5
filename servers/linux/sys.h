/* SPDX-License-Identifier: MIT */
/* The system calls: one handler each (call.h), named as Linux names them, grouped by file. */
#pragma once

#include "call.h"

#define HANDLER(name)                i64 linux_##name(struct call *k);
#define SYSCALL(number, name, waits) HANDLER(name)
#include "syscalls.def"
#undef SYSCALL
#undef HANDLER
