# SPDX-License-Identifier: MIT
CONSOLE_LOGIC := uart.c tty.c tty_out.c host_stream.c channels.c
CONSOLE_SHELL := main.c
