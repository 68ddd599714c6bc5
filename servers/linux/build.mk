# SPDX-License-Identifier: MIT
LINUX_LOGIC := args.c args_copy.c call.c clock.c deliver.c dispatch.c binfmt_elf.c exception.c exec.c \
    exit.c file.c file_disk.c file_pipe.c file_tty.c file_virtual.c files.c fork.c objects.c path.c pipe.c \
    proc_frames.c proc_slabs.c proc_text.c \
    quick.c send.c sigframe.c signals.c sys_file.c sys_futex.c sys_info.c sys_mm.c sys_path.c \
    sys_poll.c sys_proc.c sys_resident.c sys_rofs.c sys_signal.c sys_time.c sys_wait.c table.c task.c text.c thread.c vfs.c \
    usage.c virtual.c waitqueue.c boot.c
LINUX_SHELL := main.c kern.c
