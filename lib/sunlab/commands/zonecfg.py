"""zonecfg(8): create, change, show, export and delete a zone's configuration; from operands, a file or a terminal."""
from __future__ import annotations

import os
import sys

from sunlab.net.columns import Usage, options
from sunlab.zones import registry
from sunlab.zones.editing import Leave, Wrong
from sunlab.zones.language import VERBS, SyntaxWrong, statement, words_of
from sunlab.zones.session import Session

USAGE = ("usage:\tzonecfg help\n\tzonecfg -z <zone>\t\t\t(interactive)\n\tzonecfg -z <zone> <command>\n"
         "\tzonecfg -z <zone> -f <command-file>\n")
NAMES = ("\n<zone> := [A-Za-z0-9][A-Za-z0-9_.-]*\n\t(except the reserved words 'global' and anything starting with "
         "'SUNW')\n\tName must be less than 64 characters.\n")


class Reader:
    """Feeds lines to a session and says what is wrong with them, with the line of the file where that is known."""

    def __init__(self, session: Session, file: str = "") -> None:
        self.session, self.file = session, file
        self.line, self.said_of = 0, 0
        self.failed = False

    def complain(self, text: str) -> None:
        if self.file and self.said_of != self.line:
            sys.stderr.write(f"On line {self.line}{'' if self.file == '-' else f' of {self.file}'}:\n")
            self.said_of = self.line
        sys.stderr.write(f"{text}\n")

    def syntax(self, wrong: SyntaxWrong) -> None:
        self.failed = True
        where = f" on line {self.line}" if self.file else ""
        if wrong.usage:
            if self.file:
                sys.stderr.write(f"syntax error{where}{'' if self.file == '-' else f' of {self.file}'}\n")
            sys.stderr.write(f"usage:\n{VERBS[wrong.usage]}\n")
            return
        sys.stderr.write(f"syntax error{where} at '{wrong.token}'\nCommands:\n\n" + "".join(
            f"{text}\n" for text in VERBS.values()))

    def feed(self, text: str) -> None:
        """Carry out a line. Raises Leave."""
        self.line += 1
        try:
            found = words_of(text.rstrip("\n"))
        except SyntaxWrong as wrong:
            self.syntax(wrong)
            return
        for words in found:
            if self.session.leaving or self.failed and self.file and not self.session.interactive:
                return
            try:
                self.session.run(statement(words))
            except SyntaxWrong as wrong:
                self.syntax(wrong)
            except Wrong as wrong:
                for text in wrong.lines:
                    self.complain(text)
                self.failed = self.failed or wrong.counts

    def lines(self, text: str) -> None:
        for line in text.splitlines():
            if self.session.leaving or self.failed and self.file and not self.session.interactive:
                return
            self.feed(line)

    def converse(self) -> None:
        """With whoever sits at the terminal, until the end of input."""
        session = self.session
        while not session.leaving:
            scope = f":{session.scope.kind}" if session.scope else ""
            sys.stdout.write(f"zonecfg:{session.zone}{scope}> ")
            sys.stdout.flush()
            try:
                line = sys.stdin.readline()
            except KeyboardInterrupt:
                sys.stdout.write("\n")
                continue
            if not line:
                sys.stdout.write("\n")
                return
            self.feed(line)

    def finish(self) -> bool:
        """Save what is not saved yet; is the run over? Raises Leave."""
        session = self.session
        again = session.prompt and session.interactive
        if session.scope is not None:
            if not session.leaving:
                self.complain("Resource incomplete.")
                raise Leave("")
            self.failed = True
        if not session.changed or session.config is None:
            return True
        try:
            session.verify(save=True)
        except Wrong as wrong:
            for text in wrong.lines:
                self.complain(text)
            self.failed = True
            if again and not session.forced and not session.ask("Configuration not saved; really quit", ""):
                session.leaving = False
                return False
            self.complain("Configuration not saved.")
        return True


def converse(session: Session) -> int:
    reader = Reader(session)
    terminal = os.isatty(0)
    if session.config is None:
        sys.stderr.write(f"{session.zone}: No such zone configured\n")
        sys.stdout.write("Use 'create' to begin configuring a new zone.\n")
    while True:
        if terminal:
            reader.converse()
        else:
            reader.lines(sys.stdin.read())
        if reader.finish():
            return int(reader.failed)


def from_file(zone: str, name: str) -> int:
    if name == "-":
        session = Session(zone, os.isatty(0), True)
        reader = Reader(session, "-")
        reader.lines(sys.stdin.read())
        reader.finish()
        return int(reader.failed)
    try:
        with open(name) as file:
            text = file.read()
    except IsADirectoryError:
        sys.stderr.write(f"{name} is not a regular file.\n")
        return 1
    except OSError as failed:
        sys.stderr.write(f"could not open file {name}: {failed.strerror}\n")
        return 1
    reader = Reader(Session(zone, False, False), name)
    reader.lines(text)
    reader.finish()
    return int(reader.failed)


def from_operands(zone: str, words: list[str]) -> int:
    session = Session(zone, os.isatty(0), False)
    reader = Reader(session)
    reader.lines(" ".join(words))
    session.prompt = False
    reader.finish()
    return int(reader.failed)


def main(argv: list[str]) -> int:
    if argv[:1] == ["help"]:
        sys.stdout.write("".join(f"{text}\n" for text in VERBS.values()))
        return 0
    try:
        given, rest = options(argv, "zfR", "r")
    except Usage:
        given, rest = {}, []
    if "z" not in given or "f" in given and rest:
        sys.stderr.write(USAGE)
        return 2
    for letter in "rR":
        if letter in given:
            sys.stderr.write(f"sunlab: zonecfg -{letter}: not modelled in this lab\n")
            return 1
    if os.path.exists("/run/zonename"):
        sys.stderr.write("zonecfg can only be run from the global zone.\n")
        return 1
    zone = given["z"]
    if zone == "global":
        sys.stderr.write("sunlab: zonecfg -z global: not modelled in this lab\n")
        return 1
    if not registry.valid(zone):
        sys.stderr.write(f"{zone}: Bogus zone name\n{NAMES}")
        return 2
    try:
        if "f" in given:
            return from_file(zone, given["f"])
        if not rest:
            return converse(Session(zone, os.isatty(0), True))
        return from_operands(zone, rest)
    except Leave as leave:
        sys.stderr.write(f"{leave}\n" if str(leave) else "")
        return 1
    except OSError as problem:
        sys.stderr.write(f"zonecfg: {problem}\n")
        return 1
