# SPDX-License-Identifier: MIT
FRAME_LOGIC := buddy.c zone.c holders.c borders.c serve.c census.c
FRAME_SHELL := main.c boot.c
