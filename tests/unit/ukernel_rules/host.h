/* SPDX-License-Identifier: MIT */
/* The ring-3 tests' surroundings on the host. */
#pragma once

/* A fresh machine; the caller is root's first thread from now on. */
void host_begin(void);
/* Lines that began with FAIL since then. */
unsigned host_failures(void);
