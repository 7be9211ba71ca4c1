"""poweroff(8): as halt(8), and the power goes off."""
from sunlab.commands.halt import end


def main(argv: "list[str]") -> int:
    return end("poweroff", "power off", argv)
