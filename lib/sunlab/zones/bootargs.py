"""Boot arguments of a zone (filter_bootargs in zoneadmd.c, svc.startd(8)). Pure."""
from __future__ import annotations

LONGEST = 255                           # BOOTARGS_MAX, less its end
SINGLE_USER = "single-user"
#: What -m may say about messages.
MESSAGES = ("quiet", "verbose", "debug")


class BootArguments:
    """`init`: another first process; `milestone`: where svc.startd stops; `unused`: options and words nobody knows."""
    __slots__ = ("init", "milestone", "unused", "words")

    def __init__(self) -> None:
        self.init = self.milestone = ""
        self.unused: list[str] = []     # what zoneadmd does not know, and warns of at the console
        self.words: list[str] = []      # what is no option at all: said to whoever boots


def read(text: str) -> BootArguments:
    """As getopt reads `fi:m:s`; later options win."""
    found, words = BootArguments(), text.split()
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in "im":
                value = letters or (words.pop(0) if words else "")
                letters = ""
                if letter == "i":
                    found.init = value
                else:
                    _smf_options(found, value)
            elif letter == "s":
                found.milestone = SINGLE_USER
            elif letter != "f":
                found.unused.append(f"-{letter}")
    found.words = words
    return found


def _smf_options(found: BootArguments, value: str) -> None:
    for one in value.split(","):
        name, _, what = one.partition("=")
        if name == "milestone" and what:
            found.milestone = what
        elif one not in MESSAGES:
            found.unused.append(f"-m {one}")
