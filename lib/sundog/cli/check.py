"""`sundog check`: every mistake of a configuration, without a cluster."""
import os
from typing import Any, Dict, List

import click

from sundog.cli.session import BAD, EXITS, Session, json_option, pass_session
from sundog.config.fencing import protection
from sundog.config.load import Reading, examine_file
from sundog.config.model import (
    Cluster,
    DiskHolder,
    PassiveHolder,
    SerialLink,
    WitnessHolder,
    ZooKeeperHolder,
)
from sundog.config.problems import ERROR, RISK, WARNING, Problem
from sundog.config.survival import survival, voters


@click.command(epilog=EXITS)
@click.argument("file", type=click.Path())
@click.option("--here", is_flag=True, help="Look at this host as well: key, name, vote holders, watchdog, devices.")
@click.option("--explain", is_flag=True, help="Say also what is assumed, so that a group has no two owners.")
@json_option
@pass_session
@click.pass_context
def command(context: click.Context, session: Session, file: str, here: bool, explain: bool) -> int:
    """Check the configuration in FILE.

    The files that it names are read from beside it; nothing is applied and no cluster is needed.

    Each mistake is FILE:LINE:COLUMN: error, warning or risk. Only an error makes the exit status 2. Then comes what
    switches each node off, and what the votes protect from and what not.

    \b
    Examples:
      sundog check cluster.yaml
      sundog check /etc/sundog/cluster.yaml --here
      sundog check cluster.yaml --explain
      sundog check cluster.yaml --json | jq -r '.problems[].text, .votes.does_not_protect_from[]'
    """
    reading = read(file)
    wrong = objections(reading.cluster) if here and reading.cluster else []
    fencing = protection(reading.cluster) if reading.cluster else []
    votes = survival(reading.cluster) if reading.cluster else None
    lines = [*map(str, reading.problems), *fencing, *(votes.lines() if votes else ()),
             *(votes.assumptions() if votes and explain else ()), *(f"this host: {text}" for text in wrong),
             summary(file, reading)]
    ok = reading.cluster is not None and not wrong
    session.say("\n".join(lines), {
        "ok": ok, "problems": [as_dict(problem) for problem in reading.problems], "fencing": fencing,
        "host": wrong, "votes": votes.plain() if votes else None})
    return 0 if ok else BAD


def read(file: str) -> Reading:
    from sundog.resource import parameters
    return examine_file(file, parameters())


def summary(file: str, reading: Reading) -> str:
    severities = [problem.severity for problem in reading.problems]
    said = ", ".join(f"{severities.count(severity)} {severity}{'s' if severities.count(severity) > 1 else ''}"
                     for severity in (ERROR, WARNING, RISK) if severity in severities)
    if reading.cluster is None:
        return f"{file}: {said}; it cannot be used"
    cluster = reading.cluster
    size = f"{len(cluster.nodes)} nodes, {len(cluster.links)} links, {len(cluster.groups)} groups; {votes(cluster)}"
    return f"{file}: cluster {cluster.name} is good: {size}" + (f"; {said}" if said else "")


def as_dict(problem: Problem) -> Dict[str, Any]:
    return {"severity": problem.severity, "file": problem.file, "line": problem.mark.line,
            "column": problem.mark.column, "text": problem.text, "remedy": problem.remedy}


def objections(cluster: Cluster) -> List[str]:
    """What this host lacks to be a node of `cluster`."""
    from importlib.util import find_spec

    from sundog.errors import ConfigProblem
    from sundog.link.key import load_key
    from sundog.solaris.watchdog import missing
    found = []
    try:
        load_key(cluster.key_file)
    except ConfigProblem as error:
        found.append(str(error))
    name = os.uname().nodename.split(".")[0]
    if name not in cluster.nodes:
        found.append(f"its name {name} is not among the nodes; name it as 'hostname' prints it, without the domain")
    found += [text for holder in cluster.holders.values() for text in holder_objections(holder)]
    if any(isinstance(link, SerialLink) for link in cluster.links.values()) and find_spec("serial") is None:
        found.append("a serial link is configured and pyserial is not installed: pip install pyserial")
    if cluster.protection.watchdog:
        found += missing(cluster.protection.watchdog)
    return found + fence_objections(cluster)




def holder_objections(holder: PassiveHolder) -> List[str]:
    """What this host lacks to use a vote holder."""
    from sundog.errors import ConfigProblem
    if isinstance(holder, DiskHolder):
        if os.access(holder.device, os.R_OK | os.W_OK):
            return []
        return [f"holder {holder.name}: {holder.device} cannot be read and written; "
                "check the disk's path with 'format', and run this as root"]
    if isinstance(holder, WitnessHolder):
        return [unreached("witness " + holder.name, holder.address, holder.port)] * (
            not reached(holder.address, holder.port))
    from sundog.link.zookeeper import password_of, require_kazoo
    found = []
    try:
        require_kazoo()
        if holder.user:
            password_of(holder.password_file)
    except ConfigProblem as error:
        found.append(str(error))
    servers = [server.rpartition(":") for server in holder.servers]
    return found + [unreached("ZooKeeper server", host.strip("[]"), int(port)) for host, _, port in servers
                    if not reached(host.strip("[]"), int(port))]


def reached(address: str, port: int) -> bool:
    import socket
    try:
        socket.create_connection((address, port), timeout=3).close()
    except OSError:
        return False
    return True


def unreached(what: str, address: str, port: int) -> str:
    return f"{what}: {address} port {port} takes no connection from here; does it run, and may this host reach it?"


def votes(cluster: Cluster) -> str:
    """Who votes, and what the cluster survives by that."""
    if any(isinstance(holder, ZooKeeperHolder) for holder in cluster.holders.values()):
        return "ZooKeeper keeps the ledger: any one node that reaches the ensemble carries on, none without it"
    found = voters(cluster)
    count, names = len(found), ", ".join(map(str, found))
    if count == 1:
        return f"1 vote ({names}), which must not fail"
    said = f"{count} votes ({names}): {(count - 1) // 2 or 'none'} of them may fail"
    if sum(one.kind == "node" for one in found) == 2 and any(one.kind == "witness" for one in found):
        said += "; with the witness either node carries on without the other, and both do without the witness"
    return said


def fence_objections(cluster: Cluster) -> List[str]:
    """What this host lacks to use the fence devices: password files, ipmitool, agents. No device is asked."""
    from sundog.fence.device import FenceFailed
    from sundog.fence.sequence import device_of
    found = []
    for node, levels in cluster.fence.items():
        for level in levels:
            try:
                device_of(level, node).ready()
            except FenceFailed as error:
                found.append(f"fence device of {node}: {error}")
    return list(dict.fromkeys(found))
