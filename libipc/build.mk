# SPDX-License-Identifier: MIT
# LOGIC: pure, also host-tested. SHELL: target only.
LIBIPC_LOGIC := fmt.c rank.c
LIBIPC_SHELL := crt.asm sys.asm call.c log.c self.c server.c slots.c space.c thread.c
# The client sides of frame and slab; their logic is tested with the servers' (tests/unit/frame, tests/unit/slab).
LIBIPC_SHELL += frame_client.c frame_port.c kmem.c kmem_cache.c kmem_debug.c kmem_reap.c kmalloc.c kmem_port.c
LIBIPC_SHELL += vmalloc.c vmalloc_port.c
