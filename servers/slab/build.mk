# SPDX-License-Identifier: MIT
SLAB_LOGIC := geometry.c window.c registry.c handlers.c
SLAB_SHELL := main.c
