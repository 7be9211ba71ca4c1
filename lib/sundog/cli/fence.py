"""`sundog fence`: switch a node off by its devices, look at the devices, confirm that a node is off."""
from typing import Any, List, Mapping, Optional, Tuple

import click

from sundog.cli import show
from sundog.cli.session import EXITS, Failed, Session, json_option, pass_session

HEAD = ("NODE", "LEVEL", "DEVICE", "POWER", "TESTED", "TROUBLE")


class NodeOrCommand(click.Group):
    """A first word that is no subcommand is a node: `sundog fence n1` is `sundog fence off n1`."""

    def resolve_command(self, ctx: click.Context,
                        args: List[str]) -> Tuple[Optional[str], Optional[click.Command], List[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return "off", self.commands["off"], args
        return super().resolve_command(ctx, args)


@click.group(cls=NodeOrCommand, epilog=EXITS)
def command() -> None:
    """Switch nodes off by their fence devices, and see to it that the devices work.

    \b
    Examples:
      sundog fence list
      sundog fence test n2 --json
      sundog fence n1 --yes
      sundog fence confirm n1
    """


@command.command("off", epilog=EXITS)
@click.argument("node")
@click.option("--yes", is_flag=True, help="Do not ask: everything that runs on NODE is killed.")
@click.option("--force", is_flag=True, help="Even if no majority of votes is left without NODE.")
@json_option
@pass_session
def off(session: Session, node: str, yes: bool, force: bool) -> None:
    """Switch NODE off by its fence devices, or keep it from its disks; its groups start elsewhere when that is done.

    It is switched on again unless its device says 'after: stay-off'. One that is kept from its disks resets itself if
    something runs on it, else it must be booted. 'sundog fence n1' is short for 'sundog fence off n1'.

    \b
    Examples:
      sundog fence n1 --yes
      sundog fence off n1 --yes --force
    """
    agree(session, f"Kill everything that runs on {node} by its fence devices?", yes)
    text = session.control.fence("fence-forced" if force else "fence", node)
    session.say(f"{text}; 'sundog log --follow' tells when it is off", {"ok": True, "node": node, "text": text})


@command.command(epilog=EXITS)
@click.argument("node")
@click.option("--yes", is_flag=True, help="Do not ask: NODE is off, and I have seen it.")
@json_option
@pass_session
def confirm(session: Session, node: str, yes: bool) -> None:
    """Confirm that NODE is off, where groups wait for that and no device can tell.

    If NODE is not off, for example hangs or is paused, it may go on writing to its pools beside their next owner, and
    they are lost. Pull its plug before you confirm.

    \b
    Example:
      sundog fence confirm n1
    """
    agree(session, f"Is {node} switched off, and have you seen it? If it is not, its pools may be destroyed.", yes)
    text = session.control.fence("fence-confirm", node)
    session.say(text, {"ok": True, "node": node, "text": text})


@command.command("list", epilog=EXITS)
@json_option
@pass_session
def list_devices(session: Session) -> None:
    """List the fence devices of all nodes, and what this node's last test of them found.

    \b
    Examples:
      sundog fence list
      sundog fence list --json | jq '.n1[].state'
    """
    levels = session.control.status().get("fence", {})
    session.say(show.table(HEAD, rows(levels)) if levels else "no fence devices are configured", levels)


@command.command(epilog=EXITS)
@click.argument("node", required=False, default="")
@json_option
@pass_session
def test(session: Session, node: str) -> int:
    """Read the power (or the keys) of NODE, or of every other node, by each of its devices. Changes nothing.

    The exit status is 1 when a device does not answer.

    \b
    Examples:
      sundog fence test
      sundog fence test n2 --json
    """
    levels = session.control.fence_test(node)
    session.say(show.table(HEAD, rows(levels)) if levels else "no fence devices are configured", levels)
    return 1 if any(level["error"] for found in levels.values() for level in found) else 0


def agree(session: Session, question: str, yes: bool) -> None:
    """Raises Failed unless the operator means it."""
    import sys
    if yes:
        return
    if session.json or not sys.stdin.isatty():
        raise Failed("it was not done: nobody is there to be asked", "add --yes, if you mean it")
    if not click.confirm(question):
        raise Failed("it was not done")


def rows(levels: Mapping[str, Any]) -> List[Tuple[str, ...]]:
    return [(node, str(number), level["device"], level["state"], level["tested"] or "-", level["error"] or "-")
            for node, found in levels.items() for number, level in enumerate(found, 1)]
