/* SPDX-License-Identifier: MIT */
/* Output side of the line discipline: processing, columns, echo. Echo that does not fit into the output is
 * lost. */
#pragma once

#include "tty.h"

/* Echoes a byte that was typed, if the settings say so; control characters as ^X. */
void tty_echo(struct tty *t, u8 byte);

/* Shows that the control character `byte` has shortened the line being edited, which ended at position
 * `before`. */
void tty_echo_erase(struct tty *t, u8 byte, u32 before);
