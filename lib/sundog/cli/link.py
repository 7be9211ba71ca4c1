"""`sundog link`: the heartbeat paths."""
from typing import Any, Dict

import click

from sundog.cli import show
from sundog.cli.session import EXITS, Session, json_option, pass_session

HEAD = ("TO", "FROM", "LINK", "STATE", "FOR")


@click.group(epilog=EXITS)
def command() -> None:
    """Show the heartbeat paths between the nodes.

    \b
    Examples:
      sundog link list --lost
      sundog link list --json
    """


@command.command("list", epilog=EXITS)
@click.option("--lost", is_flag=True, help="Only what is not up.")
@json_option
@pass_session
def list_links(session: Session, lost: bool) -> None:
    """List who hears whom on which link, in the whole cluster, as the leader knows it.

    up: heard; lost: silent, though the node is heard on another link; never: silent since the daemon started; down: the
    node is not heard at all; unknown: nobody can say, because the node that would hear is not heard itself. A shared
    partition is disk:NAME: who is in the cluster shows a pulse there.

    \b
    Examples:
      sundog link list
      sundog link list --lost
      sundog link list --json | jq '.links[] | select(.state != "up")'
    """
    answer = session.control.links()
    if lost:
        answer["links"] = [one for one in answer["links"] if one["state"] != "up"]
    session.say(overview(answer), answer)


def overview(answer: Dict[str, Any]) -> str:
    rows = [(one["to"], one["from"], one["link"], one["state"],
             "-" if one["for_s"] is None else show.age(one["for_s"])) for one in answer["links"]]
    text = show.table(HEAD, rows) if rows else "no link is lost"
    return text if answer["leader"] else f"{text}\nnobody leads: only what {answer['node']} hears itself is known"
