# SPDX-License-Identifier: MIT
FRAME_LOGIC := buddy.c zone.c holders.c
FRAME_SHELL :=
