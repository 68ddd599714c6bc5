# LOGIC: pure, also host-tested. SHELL: target only.
LIBIPC_LOGIC := fmt.c
LIBIPC_SHELL := crt.asm sys.asm call.c log.c self.c server.c slots.c space.c thread.c
