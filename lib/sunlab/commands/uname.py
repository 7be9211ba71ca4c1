"""uname(1) as illumos answers it; `-v` names the platform that the lab file gives the node."""
import os
import sys

from sunlab.platform import here

ORDER = "snrvmpi"


def main(argv: "list[str]") -> int:
    facts = {"s": "SunOS", "n": os.uname().nodename, "r": "5.11", "v": here().version, "m": "i86pc", "p": "i386",
             "i": "i86pc"}
    letters = "".join(word[1:] for word in argv) or "s"
    if any(not word.startswith("-") for word in argv) or set(letters) - set(ORDER + "aX"):
        sys.stderr.write("usage: uname [-snrvmapiX]\n       uname [-S system_name] (not modelled in this lab)\n")
        return 2
    wanted = ORDER if "a" in letters else letters
    sys.stdout.write(" ".join(facts[letter] for letter in ORDER if letter in wanted) + "\n")
    return 0
