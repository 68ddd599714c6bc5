# SPDX-License-Identifier: MIT
"""The shell: pipes, background jobs, substitution, traps, kill; standard streams and statuses; read-only disk."""
import hashlib

from lib import check, equal, host, quire, succeeds


def says(script, wanted, **more):
    equal(succeeds(script, **more), wanted, script)


def test_pipe_of_five():
    script = "cat /data/many/* | tr -d '\\000' | od -An -tx1 | sort | uniq -c | sort -n | tail -5"
    says(script, host(script), timeout=200)


def test_background_jobs():
    script = "for i in 3 1 2; do (sleep 0.$i; echo $i) & done; wait; echo done; sleep 5 & kill %1; wait $!; echo $?"
    equal(quire(script).out, b"1\n2\n3\ndone\n143\n", script)


def test_command_substitution():
    says('x=$(echo "$(echo a b)" | wc -w); echo $x; echo "$(for i in $(seq 300); do echo -n $i; done)" | md5sum',
         host('echo 2; echo "$(for i in $(seq 300); do echo -n $i; done)" | md5sum'))


def test_traps():
    says("trap 'echo usr1' USR1; trap 'echo bye' EXIT; kill -USR1 $$; (trap 'echo inner; exit 4' TERM; kill -TERM "
         "$(sh -c 'echo $PPID'); sleep 1); echo $?", b"usr1\ninner\n4\nbye\n")


def test_kill_9():
    script = ("sh -c 'while :; do :; done' & sleep 0.2; kill -9 $!; wait $!; echo $?; "
              "sleep 50 & kill -9 $!; wait $!; echo $?; echo on")
    equal(quire(script).out, b"137\n137\non\n", script)


def test_loops_and_functions():
    script = ("f() { [ $1 -le 1 ] && echo 1 && return; echo $(( $1 * $(f $(( $1 - 1 )) ) )); }; f 8; "
              "i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo $i; done | awk '{s+=$1} END {print s}'; "
              "cat <<END | sed s/x/y/\nx marks\nEND\ncase abc in a*) echo match;; esac")
    says(script, host(script))


def test_standard_input():
    data = bytes(i * 31 % 256 for i in range(20000))
    result = quire("md5sum; echo rest: $(cat | wc -c)", stdin=data)
    check(result.out.split()[0].decode() == hashlib.md5(data).hexdigest(), "standard input, byte for byte", result)
    result = quire("read line; echo \"<$line>\"; cat", stdin=b"first\nsecond\nthird")
    equal(result.out, b"<first>\nsecond\nthird", "lines of standard input")


def test_streams_are_separate_and_exact():
    result = quire("printf 'out\\000\\377\\r\\n'; printf 'err\\001' >&2; exit 3")
    check((result.status, result.out, result.err) == (3, b"out\0\xff\r\n", b"err\1"), "streams and status", result)


def test_status_of_a_signal():
    check(quire("kill -9 $$").status == 137, "128 + SIGKILL")
    check(quire("no-such-command").status == 127, "not found")


def test_poweroff():
    for command in ("poweroff", "halt", "reboot"):
        for words in (command, f"{command} -f", f"(sleep 0.2; {command}) & sleep 30; exit 3"):
            result = quire(f"head -c 99999 /data/random.bin; {words}")
            check(result.status == 0 and len(result.out) == 99999, f"{words}: all output, and status 0", result)
    check(quire("poweroff").status == 0, "the shell itself")
    check(quire("poweroff -f; echo after").out == b"", "nothing after it")


def test_process_1():
    says("echo $$ $PPID; cat /proc/1/comm; kill -9 1; kill -HUP 1; (sleep 0.1 & sleep 0.2 &) ; sleep 0.4; ps | wc -l",
         b"2 1\ninit\n5\n")


def test_disk_is_read_only():
    result = quire("echo x > /etc/new; echo $?; cat /etc/new; mkdir /x; rm /etc/passwd; cat /etc/passwd")
    check(result.err.count(b"Read-only file system") >= 3 and b"root:x:0:0" in result.out, "EROFS", result)


def test_scripts():
    says("printf '#!' >/dev/null; sh -c 'exec /bin/echo $0 $1' a b; /bin/sh -c 'echo $PPID' >/dev/null && echo ok",
         b"a b\nok\n")


def test_proc():
    script = ("grep -c '^Mem' /proc/meminfo; readlink /proc/self/exe; cat /proc/self/cmdline | tr '\\0' ' '; echo; "
              "grep -c stack /proc/self/maps; wc -w </proc/self/stat; grep -c ' / ' /proc/mounts; "
              "cat /dev/null | wc -c; head -c 5 /dev/zero | od -An -tx1; uname -s; ps | grep -c '[P]ID'")
    equal(succeeds(script), b"3\n/bin/busybox\ncat /proc/self/cmdline \n1\n52\n1\n0\n 00 00 00 00 00\nLinux\n1\n",
          "/proc and /dev")
