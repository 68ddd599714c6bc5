# SPDX-License-Identifier: MIT
"""Random shell scripts of busybox's applets over the files of the default disk. Each ends by itself, and what it prints
on standard output depends neither on the order in which processes run, nor on their numbers, nor on the time."""
TEXTS = ["/etc/passwd", "/etc/profile", "/big/marks.txt", "/etc/group"]
FILES = TEXTS[:3] + ["/data/many/0007", "/data/many/0428", "/data/many/0999", "/data/many/0000", "/data/single",
                     "/data/links/short", "/data/links/directory/0123", "/data/links/to-long-name",
                     "/data/links/longer-than-the-inode", "/bin/busybox"]
MISSING = ["/none", "/etc/passwd/x", "/data/links/loop", "/data/none/x", "/etc/hostname/", "/data/many/", "''"]
CATCHABLE = ["USR1", "TERM", "HUP"]


def one_of(r, *makers):
    """A text, or what one of the functions makes."""
    maker = r.choice(makers)
    return maker if isinstance(maker, str) else maker()


def file(r):
    return r.choice(FILES)


def word(r):
    return "".join(r.choice("abcxyz019 .-_") for _ in range(r.randint(1, 6))).strip() or "w"


def text(r):
    """A command that prints lines."""
    n = r.choice([1, 9, 40, 300, 2500])
    few = r.randint(1, 9)
    return one_of(
        r,
        lambda: f"seq {r.randint(-5, 9)} {few} {n}",
        lambda: f"seq -w {n}",
        lambda: f"cat {' '.join(r.sample(TEXTS, r.randint(1, 4)))}",
        lambda: f"find {r.choice(['/data /etc', '/bin', '/usr', '/data/many'])} {found(r)} | sort",
        lambda: f"od -A{r.choice('dxon')} -t{r.choice(['x1', 'd2', 'u4', 'o1', 'c', 'x8'])} -N{few * 500} {file(r)}",
        lambda: f"hexdump {r.choice(['-C', '-c', '-d', ''])} -n {few * 300} -s {r.randint(0, 999)} {file(r)}",
        lambda: f"strings -n {few + 3} /bin/busybox | {r.choice(['head', 'tail'])} -n {n}",
        lambda: f"head -c {r.randint(1, 9000)} {file(r)} | base64 -w {r.randint(1, 90)}",
        lambda: f"dd if={file(r)} bs={r.randint(1, 700)} skip={r.randint(0, 9)} count={few} 2>/dev/null | xxd",
        lambda: f"awk 'BEGIN {{ for (i = 0; i < {n}; i++) print i * i % {r.randint(2, 99)}, i }}'",
        lambda: f"yes '{word(r)} {word(r)}' | head -n {n}",
        lambda: f"ls -{r.choice(['1', 'a', 'F', 'r', '1R'])} {r.choice(['/etc', '/data/links', '/usr', '/data/many'])}",
        lambda: f"stat -c '%n %s %a %F' {file(r)} {file(r)}",
        lambda: f"cd {r.choice(['/data/many', '/data/links/directory', '/big/../data/./many/'])}; wc -c 00*; pwd",
        lambda: f"factor $(seq {few + 1} 7 {r.randint(100, 500)})",
    )


def found(r):
    """What find looks for."""
    return r.choice(["", "-type f", "-type l", "-name '*1*'", "-size +1k -type f", "-maxdepth 1", "-perm 755 -type f",
                     "-type f -name '0?7*' -exec md5sum {} +", "-type f -name '00*' -exec echo x{} \\;",
                     "-newer /etc/passwd"])


def line_filter(r):
    """A command that takes lines and prints lines."""
    n, letter = r.randint(1, 30), r.choice("0123abcdefsxr")
    edit = r.choice([f"s/{letter}/[&&]/g;p", f"{n}q", f"/{letter}/d", "$!N;P;D", "y/abc/xyz/", "G;h", "1!G;h;$!d",
                     f"s/^(.).*$/{letter}/"])
    return one_of(
        r,
        lambda: f"sort {r.choice(['', '-n', '-r', '-u', '-nr', '-k2', '-k2n', '-t: -k3', '-c', '-s -k1,1'])}",
        lambda: f"uniq {r.choice(['', '-c', '-d', '-u', '-f1', '-w2'])}",
        "awk '{ n += NF; s += $1 } END { print NR, n, s % 1000 }'",
        lambda: f"awk -F{r.choice([':', '/', '[0-9]'])} '{{ printf \"%s|%d|%x\\n\", $2, length($0), NR }}'",
        f"awk '{{ a[$1 % {n}]++ }} END {{ for (i = 0; i < {n}; i++) print i, a[i] + 0 }}'",
        f"awk '{{ gsub(/{letter}/, \"<&>\"); print toupper(substr($0, {n % 5}, 40)) }}'",
        lambda: f"sed {r.choice(['-n', ''])} '{edit}'",
        lambda: f"sed -r -e 's/([0-9]+)[^0-9]+/\\1\\n/{r.randint(1, 3)}' -e '{n},$s/.$//'",
        lambda: f"grep {r.choice(['', '-v', '-c', '-n', '-o', '-i', '-F', '-A2', '-m3', '-q'])} '{letter}'",
        f"grep -E '^.{{{n % 9}}}[{letter}-z]|{letter}$'",
        lambda: "cut " + r.choice([f"-c{n}-{n + 9}", f"-b-{n}", "-d: -f1,3", "-d/ -f2-", "-d' ' -f2 -s"]),
        lambda: f"tr {r.choice(['a-z A-Z', '-d 0-9', '-s 0-9a-z', '-c a-z0-9 x', '-cd 0-9a-f', '[:space:] :'])}",
        lambda: f"head {r.choice(['-n', '-c', '-n -'])}{n}",
        lambda: f"tail {r.choice(['-n ', '-c ', '-n +', '-c +'])}{n}",
        lambda: f"fold {r.choice(['-s ', '', '-b '])}-w {n + 5}",
        lambda: f"xargs {r.choice(['', '-n3', '-n1', '-s 200', '-t', '-n 7'])} "
                + r.choice(["echo", "printf %s,", "sh -c true", "expr 1 +"]),
        f"tr -c 'a-z0-9\\n' _ | xargs -n1 -I@ echo '<@>' | head -n {n}",
        f"while read a b; do echo \"$b:${{#a}}:${{a%{letter}*}}:${{b##*{letter}}}\"; done",
        f"while IFS=:{letter} read -r a b c; do case $a in *{letter}*) echo \"$c\";; [0-9]*) echo \"n$b\";; "
        "*) break;; esac; done; cat | wc -c",
        lambda: r.choice(["tac", "rev", "nl", "cat -n", "cat -A", "expand", "unexpand -a", "paste - - -",
                          "paste -d, - -", "wc", "wc -L", "shuf | sort", "tee /dev/null", "uuencode -m name", "od -c",
                          "hexdump -C"]),
        lambda: f"{{ {line_filter(r)}; echo $?; }}",
    )


def byte_filter(r):
    """A command that takes bytes and prints a few lines."""
    return r.choice(["md5sum", "sha1sum", "sha256sum", "sha512sum", "sha3sum", "crc32", "wc", "xxd -p | tail -n 2",
                     "od -An -tx2 | tail -n 3", "hexdump -v | md5sum", "base64 | base64 -d | md5sum"])


def packed(r):
    """Stages that give back what they take."""
    level = r.randint(1, 9)
    return r.choice([f"gzip -{level} -c | gunzip -c", f"bzip2 -{level} -c | bzcat", "gzip -c | zcat", "cat",
                     f"dd bs={r.randint(1, 9000)} 2>/dev/null", "uuencode -m x | uudecode -o -", "xxd | xxd -r",
                     "tee /dev/null", "cat | cat | cat", "rev | rev"])


def pipeline(r):
    stages = [packed(r) if r.random() < 0.2 else line_filter(r) for _ in range(r.randint(0, 5))]
    if r.random() < 0.3:
        stages.append(byte_filter(r))
    return " | ".join([f"{{ {text(r)}; }}", *stages])


def data_pipeline(r):
    """Much data, few lines."""
    source = one_of(
        r,
        lambda: f"cat {file(r)} {file(r)}",
        lambda: f"head -c {r.randint(1, 400000)} /data/random.bin",
        lambda: f"dd if=/data/random.bin bs=4k skip={r.randint(0, 8000)} count={r.randint(1, 60)} 2>/dev/null",
        "tar cf - /data/many/0*",
        "tar cf - -C / etc data/links | tar tf - | sort",
        "tar cf - /etc | tar xOf - etc/passwd",
        "tail -c 200000 /data/double",
        lambda: f"seq {r.randint(1, 60000)}",
        "cat /data/many/*",
        lambda: f"cd /data; find many -type f | sort | head -n {r.randint(1, 300)} | cpio -o -H newc | cpio -t",
    )
    return " | ".join([f"{{ {source}; }}"] + [packed(r) for _ in range(r.randint(0, 3))] + [byte_filter(r)])


def arithmetic(r, depth=0):
    if depth > 3 or r.random() < 0.3:
        return r.choice([str(r.randint(-9, 99)), "$x", "i", f"0x{r.randint(0, 255):x}", f"0{r.randint(0, 7)}"])
    operator = r.choice("+ - * & | ^ < > == != <= >= && ||".split() + ["<< 3 %", "/ 7 +", "% 5 -"])
    right = r.randint(1, 9) if " " in operator else arithmetic(r, depth + 1)
    return f"({arithmetic(r, depth + 1)} {operator} {right})"


def condition(r):
    return one_of(
        r,
        lambda: f"[ {r.choice(['-f', '-d', '-e', '-L', '-x', '-s', '-r', '-h'])} {r.choice(FILES + MISSING)} ]",
        lambda: f"[ {r.randint(0, 5)} {r.choice(['-eq', '-lt', '-ge', '-ne'])} $x ]",
        lambda: f"test \"{word(r)}\" {r.choice(['=', '!=', '<', '>'])} \"{word(r)}\"",
        lambda: f"[ {file(r)} {r.choice(['-nt', '-ot', '-ef'])} {file(r)} ]",
        lambda: f"expr {r.randint(0, 99)} {r.choice(['+', '-', '/', '%', '<', '=', ':'])} {r.randint(1, 9)}",
        lambda: f"(exit {r.randint(0, 255)})",
        lambda: f"! {simple_command(r)}",
        lambda: f"grep -q {word(r)[0]} {r.choice(TEXTS)}",
    )


def simple_command(r):
    return one_of(
        r,
        lambda: f"echo \"{word(r)} $x $?\"",
        lambda: f"printf '%s-%5d|%-4x|%c\\n' '{word(r)}' $x {r.randint(0, 999)} {word(r)[0]} {word(r)}",
        lambda: f"echo $(({arithmetic(r)}))",
        lambda: f"x=$(({arithmetic(r)}))",
        lambda: f"x=$(echo {word(r)} | wc -c)",
        lambda: f"echo \"$({pipeline(r)} | tail -n 3)\"",
        lambda: f"echo ${{y{r.choice([':-', '-', ':+', '+'])}{word(r)}}} ${{#x}}",
        lambda: f"set -- {word(r)} '{word(r)} {word(r)}' $x; echo $# \"$@\"; shift; echo \"$*\"",
        "(exit $((x & 7))); echo $?",
        lambda: f"echo {r.choice(['/data/many/00[0-4]?', '/etc/*', '/b[a-i]*', '/none/*', '~', '/data/links/[xs]*'])}",
        lambda: f"echo '{r.randint(1, 99)} {r.choice('+-*/%^')} {r.randint(1, 9)}' | bc",
        lambda: f"echo '{r.randint(1, 9999)} {r.randint(1, 99)} {r.choice('+-*/%')} p' | dc",
        lambda: f"f {r.randint(0, 4)}",
        lambda: f"eval 'echo \\$x {word(r)}'",
        lambda: f"basename {file(r)}; dirname {file(r)}",
        lambda: f"readlink -f {file(r)}; realpath {r.choice(FILES + MISSING[:5])}",
        lambda: f"cat {r.choice(MISSING)} {r.choice(TEXTS)}; echo $?",
        lambda: f"/no/such/{word(r)[0]}; echo $?; /etc/passwd; echo $?; /data; echo $?",
        lambda: f"expr {word(r)[0]}b1 : '[a-z]*'",
        "echo $x >/etc/new; echo $?",
        lambda: f"cmp {file(r)} {file(r)}; echo $?",
        lambda: f"{{ cat <<E | {line_filter(r)}\n{word(r)}\n $x $((x+1)) $(echo {word(r)})\nE\n}}",
        lambda: f"seq 99999 | head -n {r.randint(1, 4)}",
        lambda: f"seq {r.randint(1, 20)} | tail -n 1 | read z; echo \"<$z>\"",
        lambda: f"diff {r.choice(TEXTS)} {r.choice(TEXTS)}",
    )


def command(r, depth):
    """A simple command, or one made of others."""
    if depth > 2 or r.random() < 0.4:
        return simple_command(r)

    def inner():
        return commands(r, depth + 1)

    few, number, letter = r.randint(0, 7), r.randint(0, 300), word(r)[0]
    count = f"n{depth}"
    return one_of(
        r,
        lambda: f"if {condition(r)}; then {inner()}; else {inner()}; fi",
        lambda: f"for i in {word(r)} 2 {number}; do {inner()}; done",
        lambda: f"{count}=0; while [ $(({count} += 1)) -lt {few} ]; do {inner()}; "
                + r.choice([":", "continue", "break", condition(r) + " && break"]) + "; done",
        lambda: f"case $x{letter} in *[0-4]?) {inner()};; {few}*) {inner()};; *) {inner()};; esac",
        lambda: f"({inner()}; exit {number}); echo $?",
        lambda: f"{{ {inner()}; }} | {line_filter(r)}",
        lambda: f"x=$({inner()} | md5sum | cut -c1-4)",
        lambda: f"({inner()}) & wait $!; echo $?",
        lambda: f"sh -c 'sleep 0.0{few}; exit {number}' & wait $!; echo $?",
        lambda: f"(trap 'echo caught {letter}' {r.choice(CATCHABLE)} EXIT; kill -{r.choice(CATCHABLE)} "
                f"$(sh -c 'echo $PPID'); {inner()}); echo $?",
        lambda: f"sleep 30 & kill -{r.choice(['9', 'TERM', 'HUP', 'USR2'])} $!; wait $! 2>/dev/null; echo $?",
        lambda: f"exec {few + 3}>&1; {{ {inner()}; }} >&{few + 3}",
        lambda: f"{{ {inner()} >&3; }} 3>&1",
        lambda: f"({inner()}) 2>&- <&-; echo $?",
        lambda: f"exec 4<{r.choice(TEXTS)}; read -r a <&4; read b c <&4; echo \"$a:$c:$b\"; exec 4<&-; "
                "read d <&4; echo $?",
        lambda: f"{condition(r)} && {{ {inner()}; }} || {{ {inner()}; }}",
        lambda: f"f() {{ local i=$1; [ $i -le 0 ] && return {number}; echo $i; f $((i - 1)); }}; f {few}; echo $?",
        "for j in 1 2 3; do (sleep 0.0$((j * 3 % 7)); exit $j) & p=\"$p $!\"; done; "
        "for q in $p; do wait $q; echo $?; done; p=",
        lambda: pipeline(r),
        lambda: data_pipeline(r),
        lambda: f"sh -c '{{ echo $0 $#; kill -{r.choice(['9', '11', '15', '6', '13'])} $$; }}' {letter} b; echo $?",
        lambda: f"timeout 9 echo {word(r)}; echo $?",
        lambda: f"env -i A={letter} sh -c 'echo $A; "
                + r.choice(["exec true", "exec /none", "exit 7", "set -e; false; echo no"]) + "'; echo $?",
    )


def commands(r, depth=0):
    return "\n".join(command(r, depth) for _ in range(r.randint(1, 4 - min(depth, 2))))


def script(r):
    kind = r.random()
    if kind < 0.3:
        return pipeline(r)
    return data_pipeline(r) if kind < 0.4 else "x=5 y=; f() { echo f$1 $x; return $1; }\n" + commands(r)
