"""`sundog check`: every mistake of a configuration, without a cluster."""
import click

from sundog.cli.here import objections
from sundog.cli.session import BAD, EXITS, Session, json_option, pass_session
from sundog.config.fencing import protection
from sundog.config.load import Reading, examine_file
from sundog.config.model import Cluster, ZooKeeperHolder
from sundog.config.problems import ERROR, RISK, WARNING
from sundog.config.survival import survival, voters


@click.command(epilog=EXITS)
@click.argument("file", type=click.Path())
@click.option("--here", is_flag=True, help="Look at this host as well: its key, name, links, all devices.")
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
        "ok": ok, "problems": [problem.plain() for problem in reading.problems], "fencing": fencing,
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
