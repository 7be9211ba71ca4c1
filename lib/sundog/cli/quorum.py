"""`sundog quorum`: who votes, and changing that while groups run."""
import os
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import click

from sundog.cli import show
from sundog.cli.session import EXITS, Session, TimedOut, json_option, pass_session
from sundog.config.edit import CannotEdit, with_holder, without_holder
from sundog.config.install import DIRECTORY
from sundog.config.load import Reading, examine, text_of
from sundog.config.model import Cluster
from sundog.config.problems import ConfigError

_LOOK_S = 0.2
_WITHIN_S = 30.0

Edit = Callable[[str], str]


@click.group(epilog=EXITS)
def command() -> None:
    """See and change who votes: nodes, shared partitions and witnesses.

    \b
    Examples:
      sundog quorum status --json
      sundog quorum add disk1 --disk /dev/rdsk/c0t5d0s6
      sundog quorum add w1 --witness 10.9.0.9
      sundog quorum remove disk1
    """


@command.command(epilog=EXITS)
@json_option
@pass_session
def status(session: Session) -> None:
    """Show the vote holders, when each answered last, the majority, and a change that is under way.

    A life is the random id that a vote file, a partition's label or a witness's folder got when it was made. One that
    ends in '+' replaced one that was lost.

    \b
    Examples:
      sundog quorum status
      sundog quorum status --json | jq '.holders[].state'
    """
    answer = session.control.quorum()
    session.say(overview(answer), answer)


def overview(answer: Dict[str, Any]) -> str:
    rows = [(name, one["kind"], one["life"] or one["seen_life"] or "-",
             "-" if one["answered_s"] is None else f"{one['answered_s']:.1f} s ago", one["state"])
            for name, one in answer["holders"].items()]
    lines = [show.table(("HOLDER", "KIND", "LIFE", "ANSWERED", "STATE"), rows), ""]
    voting = sum(one["votes"] for one in answer["holders"].values())
    majority = " and ".join(map(str, answer["majority"])) or "-"
    lines.append(f"{voting} votes, {majority} are a majority; leader: {answer['leader'] or 'none'}")
    if answer["changing"]:
        lines.append("a change is under way: majorities of the old set and of the new one must agree")
    if answer["waits"]:
        lines.append(f"a change waits: {answer['waits']}")
    if answer["this_node"]["distrust"]:
        lines.append(f"this node does not vote: {answer['this_node']['distrust']}")
    return "\n".join(lines)


@command.command(epilog=EXITS)
@click.argument("name")
@click.option("--disk", "device", metavar="DEVICE", help="A raw partition that all nodes share.")
@click.option("--witness", metavar="ADDRESS[:PORT]", help="A host where sundogd --witness runs; IPv6 in brackets.")
@json_option
@pass_session
def add(session: Session, name: str, device: Optional[str], witness: Optional[str]) -> None:
    """Let a shared partition, or a witness, vote under NAME.

    Writes it into quorum.holders of the configuration in force, keeping every comment, applies that, and waits until
    it votes. A blank partition is labelled by itself.

    \b
    Examples:
      sundog quorum add disk1 --disk /dev/rdsk/c0t5d0s6
      sundog quorum add w1 --witness 10.9.0.9
    """
    if (device is None) == (witness is None):
        raise click.UsageError("name what is to vote: --disk DEVICE or --witness ADDRESS")
    spec = f"{{type: disk, device: {device}}}" if witness is None else witness_spec(witness)
    change(session, lambda text: with_holder(text, name, spec), (name,), ())


def witness_spec(where: str) -> str:
    """ADDRESS, ADDRESS:PORT or [IPV6]:PORT as the value of a holder."""
    address, port = where, ""
    if where.startswith("[") or where.count(":") == 1:
        address, _, port = where.strip("[").replace("]", "").rpartition(":") if not where.endswith("]") \
            else (where.strip("[]"), "", "")
    return f"{{type: witness, address: '{address}'" + (f", port: {port}}}" if port else "}")


@command.command(epilog=EXITS)
@click.argument("name")
@json_option
@pass_session
def remove(session: Session, name: str) -> None:
    """Take the vote of the holder NAME, a shared partition or a witness.

    It is refused when the votes that are left and answer would be no majority. A node's vote is taken with 'votes: 0'
    in the configuration and `sundog apply`. To replace a holder, add the new one under another name first.

    \b
    Example:
      sundog quorum remove disk1
    """
    change(session, lambda text: without_holder(text, name), (), (name,))


def change(session: Session, edit: Edit, coming: Tuple[str, ...], going: Tuple[str, ...]) -> None:
    """Edit the configuration in force, apply it, and wait until the ledger has these holders."""
    path = Path(DIRECTORY) / "cluster.yaml"
    old = read(text_of(path), str(path))
    if old.digest != session.control.quorum()["config_digest"]:
        raise CannotEdit(f"{path} is not the configuration in force", "sundog apply it first, or put the other back")
    new = read(edit(old.source), f"{path} as changed")
    if {*old.holders, *coming} - {*going} != set(new.holders):
        raise CannotEdit(f"{path}: the quorum section is written in a way that is not understood",
                         "change quorum.holders by hand, and sundog apply it")
    session.control.apply(new.source, dict(new.files))
    until = time.monotonic() + _WITHIN_S
    while True:
        answer = session.control.quorum()
        names = {name for name, one in answer["holders"].items() if one["votes"]}
        if set(coming) <= names and not set(going) & names and not answer["changing"]:
            break
        if time.monotonic() > until:
            why = answer["waits"] or "no reason told"
            raise TimedOut(f"applied, but the ledger's voters have not changed yet: {why}",
                           "sundog quorum status tells when they have")
        time.sleep(_LOOK_S)
    session.say(f"the vote holders are {', '.join(sorted(names))}", {"ok": True, "voters": sorted(names)})


def read(text: str, name: str) -> Cluster:
    """A configuration with the files beside the one in force. Raises ConfigError."""
    from sundog.resource import parameters
    reading: Reading = examine(text, name=name, types=parameters(), fetch=lambda file: text_of(Path(DIRECTORY) / file))
    if reading.cluster is None:
        raise ConfigError(reading.problems)
    return reading.cluster


@command.command("init-disk", epilog=EXITS)
@click.argument("device")
@click.option("--force", default="", metavar="WHAT",
              help="Give up what it holds, by the name that the refusal tells: zfs, ufs, hsfs, efi, vtoc, pcfs, fdisk, "
                   "sundog (this cluster's votes), sundog:CLUSTER (another's) or unknown.")
@json_option
@pass_session
def init_disk(session: Session, device: str, force: str) -> None:
    """Label the raw partition DEVICE for the cluster of this host's configuration; all votes on it are empty then.

    It looks for what the partition holds and refuses to write over it, unless you name it. Votes that another cluster,
    or this one with another key, writes to now are not given up: disable its coordinators first.

    \b
    Examples:
      sundog quorum init-disk /dev/rdsk/c0t5d0s6
      sundog quorum init-disk /dev/rdsk/c0t5d0s6 --force ufs
      sundog quorum init-disk /dev/rdsk/c0t5d0s6 --force sundog:shop
    """
    from sundog.link.initdisk import initialise
    from sundog.link.key import load_key
    cluster = read(text_of(Path(DIRECTORY) / "cluster.yaml"), os.path.join(DIRECTORY, "cluster.yaml"))
    nodes: List[str] = sorted(cluster.nodes)
    life = initialise(device, cluster.name, tuple(nodes), load_key(cluster.key_file), force)
    session.say(f"{device} is labelled for cluster {cluster.name}, life {life}",
                {"ok": True, "device": device, "cluster": cluster.name, "life": life})
