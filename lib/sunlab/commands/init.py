"""init(8): asks svc.startd for a run level and returns; 0, 5 and 6 stop all services in order first."""
import sys

from sunlab.smf.client import ask


def main(argv: "list[str]") -> int:
    if len(argv) != 1:
        sys.stderr.write("Usage: init [0123456SsQqabc]\n")
        return 1
    return ask("init", argv)
