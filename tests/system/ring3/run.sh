#!/bin/sh
# SPDX-License-Identifier: MIT
# Build the ring-3 tests as the boot module `root` and run them on the kernel: run.sh [KERNEL] [QEMU arguments...]
# Time passes with the instructions, so that a busy host does not change what happens.
set -e
top=$(cd "$(dirname "$0")/../../.." && pwd)
kernel=${1:-$top/build/quire.elf}
[ $# -gt 0 ] && shift
out=$(mktemp -d "${TMPDIR:-/tmp}/quire-ring3-XXXXXX")
trap 'rm -rf "$out"' EXIT
flags="-std=c17 -O2 -g -Wall -Wextra -Werror -ffreestanding -nostdlib -mgeneral-regs-only -mno-red-zone
    -fno-stack-protector -fcf-protection=none -fno-pic -fno-pie -fno-asynchronous-unwind-tables -fno-strict-aliasing
    -I$top/include -I$top/libipc -I$top/tests/system/ring3"
objects=
for file in "$top"/tests/system/ring3/*.c; do
    object=$out/$(basename "$file").o
    ${CC:-gcc} $flags -c "$file" -o "$object"
    objects="$objects $object"
done
nasm -f elf64 "$top/libipc/sys.asm" -o "$out/sys.o"
ld -static -z max-page-size=4096 -z noexecstack --build-id=none --defsym=IMAGE_BASE=0x1000000 \
    -T "$top/servers/server.ld" -o "$out/root.elf" $objects "$out/sys.o" /usr/lib/x86_64-linux-musl/libc.a
log=$out/log
set +e
timeout 400 qemu-system-x86_64 -M pc -cpu max,-la57,-erms -m 128 -display none -no-reboot -nodefaults -vga none \
    -kernel "$kernel" -initrd "$out/root.elf root" -debugcon "file:$log" -device isa-debug-exit,iobase=0xf4,iosize=4 \
    -accel tcg -icount shift=0,sleep=off "$@"
status=$?
cat "$log"
[ $status -eq 33 ] && grep -q '^quire: exit 0$' "$log" && ! grep -q '^FAIL' "$log"
