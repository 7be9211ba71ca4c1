"""svccfg(8): changes the repository's editing copy; only refresh makes them count. One request is one commit.

What the subcommands do is in entities.py (services and instances), propedit.py (their properties) and bundle.py
(manifests and profiles).
"""
from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable, Dict, Iterator, List, Optional, Tuple

from sunlab.smf import batch
from sunlab.smf.authorise import Caller
from sunlab.smf.batch import Refused, SyntaxWrong, Word
from sunlab.smf.options import Usage, flags, split
from sunlab.smf.repository import Entity, Instance

if TYPE_CHECKING:
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

USAGE = """Usage:\tsvccfg [-v] [-s FMRI] [-f file]
\tsvccfg [-v] [-s FMRI] <command> [args]"""
NOT_MODELLED = ("editprop", "set", "describe", "repository", "restore", "cleanup", "delhash", "listpat", "listcust")
CHECKS = "SVCCFG_CHECKHASH=1"       # before the options, where the caller's environment has it
LONGEST = 2047          # characters of a command made of operands

Act = Callable[["Session", Tuple[Word, ...]], None]


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    checks = request.args[:1] == [CHECKS]
    try:
        found, operands = split(request.args[checks:], "vs:f:z:")
    except Usage:
        reply.err(USAGE)
        return 2
    options = flags(found)
    session = Session(startd, request, reply, "v" in options)
    session.checks = checks
    if "f" in options or not operands:
        text, session.source = request.input, options.get("f", "-")
        session.source = "<stdin>" if session.source == "-" else session.source
    else:
        # The operands are one command, joined by blanks (svccfg_main.c): 'setprop a/b = c' may be one of them.
        text = " ".join(operands)[:LONGEST]
    try:
        if "s" in options:
            where, session.source = session.source, ""
            session.select(options["s"])
            session.source = where
        for command in batch.commands(text):
            session.line = command.line
            if not session.carry_out(command.words):
                break
    except Refused as why:
        if str(why):
            session.say(str(why))
        return 1
    return 0


class Session:
    """One run of svccfg: what is selected, and where in which file it is."""

    def __init__(self, startd: "Startd", request: "Request", reply: "Reply", verbose: bool) -> None:
        self.startd = startd
        self.repository = startd.repository
        self.request = request
        self.reply = reply
        self.verbose = verbose
        self.entity: Optional[Entity] = None
        self.snapshot: Optional[str] = None
        self.caller = Caller(request.uid)
        self.checks = False         # import passes over what is as it was imported last
        self.source = ""            # the commands' file; empty: they are operands
        self.line = 1

    def say(self, text: str) -> None:
        """A message for stderr, with the place of the command that it is about (svccfg_main.c, vmessage)."""
        self.reply.err(f"svccfg ({self.source}, line {self.line}): {text}" if self.source else f"svccfg: {text}")

    def carry_out(self, words: Tuple[Word, ...]) -> bool:
        """One subcommand; False ends the run. Raises Refused."""
        name = batch.bare(words[0]) if words[0].kind in ("word", "string") else ""
        if name in ("end", "exit", "quit"):
            return False
        if name in NOT_MODELLED:
            raise Refused(f"{name}: not modelled in this lab")
        act = acts(self.startd.platform.layers).get(name)
        if act is None:
            raise Refused(f'Unknown command "{name}".') if name else SyntaxWrong()
        act(self, words[1:])
        return True

    # --- what the subcommands share

    @staticmethod
    def need(allowed: bool) -> None:
        if not allowed:
            raise Refused("Permission denied.")

    def chosen(self) -> Entity:
        if self.entity is None:
            raise Refused("An entity is not selected.")
        return self.entity

    def to_change(self) -> Entity:
        """The entity whose properties are to be changed."""
        if self.snapshot is not None:
            raise Refused("Cannot modify snapshots.")
        return self.chosen()

    def instance(self) -> Instance:
        if not isinstance(self.entity, Instance):
            raise Refused("Instance not selected.")
        return self.entity

    def select(self, pattern: str) -> None:
        from sunlab.smf import entities
        entities.select_by(self, pattern)

    @contextmanager
    def as_caller(self) -> Iterator[None]:
        """Files are opened with the rights of who asks, not with those of pid 1."""
        import os
        if self.request.uid == 0:
            yield
            return
        os.seteuid(self.request.uid)
        try:
            yield
        finally:
            os.seteuid(0)


def acts(layers: bool) -> Dict[str, Act]:
    """The subcommands of this platform. Their modules are imported when svccfg is first asked for."""
    from sunlab.smf import bundle, entities, notify, propedit
    found: Dict[str, Act] = {**entities.ACTS, **propedit.ACTS, **bundle.ACTS, **notify.ACTS}
    if layers:
        from sunlab.smf import layer
        found.update(layer.ACTS)
    return found


def operands(words: Tuple[Word, ...], least: int, most: int) -> List[str]:
    """So many words. Raises SyntaxWrong."""
    found = batch.plain(words)
    if not least <= len(found) <= most:
        raise SyntaxWrong()
    return found
