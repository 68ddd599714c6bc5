# SPDX-License-Identifier: MIT
SLAB_LOGIC := geometry.c window.c registry.c
SLAB_SHELL := main.c
