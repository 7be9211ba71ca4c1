"""halt(8), poweroff(8) and reboot(8): processes are killed, disks flushed; no service's stop method runs."""
import os
import sys

from sunlab import ending


def end(name: str, what: str, argv: "list[str]") -> int:
    """-q: at once; -n: without flushing; -d, -f, -l, -p and -y change nothing in the lab."""
    letters = "".join(word[1:] for word in argv if word.startswith("-"))
    if set(letters) - set("dflnpqy"):
        sys.stderr.write(f"usage: {name} [ -dlnqy ]\n")
        return 1
    if os.getuid() != 0:
        sys.stderr.write(f"{name}: permission denied\n")
        return 1
    if "q" not in letters:
        ending.kill_all()
    if "n" not in letters and "q" not in letters:
        ending.flush()
    ending.act(what)
    return 1


def main(argv: "list[str]") -> int:
    return end("halt", "halt", argv)
