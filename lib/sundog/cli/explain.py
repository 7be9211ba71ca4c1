"""`sundog explain`: why a group is where it is, and what speaks against every other node."""
import click

from sundog.cli import show
from sundog.cli.session import EXITS, Session, json_option, pass_session


@click.command(epilog=EXITS)
@click.argument("group")
@json_option
@pass_session
def command(session: Session, group: str) -> None:
    """Say why GROUP is where it is, node by node, as the cluster's leader sees it.

    \b
    Examples:
      sundog explain web
      sundog explain web --json | jq '.candidates[]'
    """
    explained = session.control.explain(group)
    owner = f" on {explained['owner']}" if explained.get("owner") and explained["state"] != "offline" else ""
    why = f": {explained['why']}" if explained["why"] else ""
    first = f"{explained['group']} is {explained['state']}{owner}{why}"
    rows = [(candidate["node"], candidate["verdict"]) for candidate in explained["candidates"]]
    if explained["seen_by"] is None:
        first += "\nNo leader is known; this is what this node has of the ledger:"
    session.say(f"{first}\n\n{show.table(('NODE', 'VERDICT'), rows)}", explained)
