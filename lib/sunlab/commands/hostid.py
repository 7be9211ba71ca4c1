"""hostid(1): the host's identifier, eight hexadecimal digits, from /etc/hostid."""
import sys


def main(argv: "list[str]") -> int:
    if argv:
        sys.stderr.write("usage: hostid\n")
        return 2
    with open("/etc/hostid", "rb") as file:
        sys.stdout.write(f"{int.from_bytes(file.read(4), 'little'):08x}\n")
    return 0
