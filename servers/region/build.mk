# SPDX-License-Identifier: MIT
REGION_LOGIC := vma.c mm.c object.c vm_ops.c mmap.c protect.c mremap.c fork.c fault.c slice.c move.c
REGION_SHELL := main.c spaces.c kernel.c work.c pump.c calls.c faults.c usual.c park.c
