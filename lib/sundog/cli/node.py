"""`sundog node`: the hosts of the cluster."""
import click

from sundog.cli import show
from sundog.cli.session import EXITS, Session, json_option, pass_session


@click.group(epilog=EXITS)
def command() -> None:
    """Show the nodes of the cluster.

    \b
    Examples:
      sundog node list
      sundog node list --json
    """


@command.command("list", epilog=EXITS)
@json_option
@pass_session
def list_nodes(session: Session) -> None:
    """List the nodes: state, since when, links, groups. The leader has a '*'.

    \b
    Examples:
      sundog node list
      sundog node list --json | jq -r 'to_entries[] | select(.value.state != "up") | .key'
    """
    status = session.control.status()
    session.say(show.table(show.NODE_HEAD, show.node_rows(status)), status["nodes"])
