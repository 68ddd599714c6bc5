# SPDX-License-Identifier: MIT
ATA_LOGIC := pci.c request.c prd.c controller.c driver.c
ATA_SHELL := main.c
