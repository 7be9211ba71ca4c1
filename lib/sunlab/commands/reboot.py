"""reboot(8): as halt(8), and the host boots again."""
from sunlab.commands.halt import end


def main(argv: "list[str]") -> int:
    return end("reboot", "reboot", argv)
