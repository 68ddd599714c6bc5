# SPDX-License-Identifier: MIT
"""The QEMU command line: the machine, boot modules and disk. Channels are added by session.py."""
import os
import shlex

from . import LaunchError

# Boot order; those that are not built are left out.
SERVERS = ["root", "frame", "slab", "region", "cache", "ata", "linux", "console"]


def comma(text):
    """Escape for QEMU's option lists."""
    return text.replace(",", ",,")


LEAST_MIB = 14  # so much the kernel and the servers need to get as far as a shell
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def check_memory(size):
    """Refuses what is too little to start with; what is no plain size is left to QEMU."""
    digits, unit = size[:-1], size[-1:].upper()
    if digits.isdecimal() and unit in UNITS and int(digits) * UNITS[unit] < LEAST_MIB << 20:
        raise LaunchError(f"--mem {size}: not enough memory, {LEAST_MIB}M is the least")


def machine_arguments(args, disk, work):
    """Arguments for QEMU, which runs in args.build: relative names, so that spaces in its path do not matter."""
    check_memory(args.mem)
    words = ["-M", "pc", "-m", args.mem, "-cpu", args.cpu, "-display", "none", "-vga", "none", "-nodefaults",
             "-no-user-config", "-no-reboot", "-rtc", "base=utc"]
    words += ["-accel", "tcg"] + (["-icount", "shift=0,sleep=off"] if args.icount else [])
    words += boot(args, work)
    if disk:
        drive = f"if=none,id=disk,format=raw,file={comma(disk)}"
        if args.snapshot:
            drive += ",snapshot=on"
        if args.disk_iops:
            drive += f",throttling.iops-total={args.disk_iops}"
        words += ["-drive", drive, "-device", "ide-hd,drive=disk,bus=ide.0"]
    if args.trace:
        words += ["-object", f"memory-backend-file,id=ram,size={args.mem},mem-path={comma(work.path('ram'))},share=on",
                  "-machine", "memory-backend=ram"]
    if args.gdb:
        words += ["-S", "-gdb", f"tcp:127.0.0.1:{args.gdb}"]
    return words + shlex.split(args.qemu)


def boot(args, work):
    if args.iso:
        return ["-drive", f"if=none,id=iso,format=raw,media=cdrom,file={comma(os.path.abspath(args.iso))}",
                "-device", "ide-cd,drive=iso,bus=ide.1"]
    if not os.path.isfile(os.path.join(args.build, "quire.elf")):
        raise LaunchError(f"no {args.build}/quire.elf (make all)")
    words = ["-kernel", "quire.elf", "-append", kernel_line(args)]
    found = modules(args, work)
    return words + (["-initrd", found] if found else [])


def kernel_line(args):
    words = ["mode=tty" if args.command is None else "mode=cmd"]
    if args.trace:
        words.append("trace=all")
    return " ".join(words + args.append.split())


def modules(args, work):
    """The -initrd argument: `path name` for each module. The guest takes the name from the path."""
    found = [f"servers/{name}.elf" for name in SERVERS
             if os.path.exists(os.path.join(args.build, "servers", name + ".elf"))]
    if args.command is not None:
        with open(work.path("cmd"), "wb") as file:
            file.write(os.fsencode(args.command) + b"\0")
        found.append(work.path("cmd"))
    return ",".join(comma(f"{path} {os.path.basename(path).removesuffix('.elf')}") for path in found)
