# SPDX-License-Identifier: MIT
ROOT_LOGIC := image.c wiring.c
ROOT_SHELL := main.c pool.c construct.c crash.c power.c
