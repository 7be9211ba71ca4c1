"""svccfg: asks svc.startd over its door; commands from -f FILE or standard input are read here."""
import os
import sys

from sunlab.smf.client import ask


def main(argv: list[str]) -> int:
    text = ""
    rest = list(argv)
    file = None
    while rest and rest[0][:1] == "-" and len(rest[0]) > 1:
        option = rest.pop(0)
        if option in ("-f", "-s", "-z") and rest:
            value = rest.pop(0)
            file = value if option == "-f" else file
        elif option[:2] == "-f":
            file = option[2:]
    if file is not None and file != "-":
        try:
            with open(file, encoding="utf-8") as source:
                text = source.read()
        except IsADirectoryError:
            sys.stderr.write(f"svccfg: {file} is not a regular file.\n")
            return 1
        except OSError as failed:
            sys.stderr.write(f"svccfg: Could not open {file}: {failed.strerror}.\n")
            return 1
    elif file == "-" or not rest:
        text = sys.stdin.read()
    return ask("svccfg", [*(["SVCCFG_CHECKHASH=1"] if os.environ.get("SVCCFG_CHECKHASH") else []), *argv], text)
