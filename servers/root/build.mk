# SPDX-License-Identifier: MIT
ROOT_LOGIC := image.c rtc.c wiring.c
ROOT_SHELL := main.c pool.c construct.c crash.c power.c wallclock.c
