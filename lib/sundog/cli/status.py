"""`sundog status`: the whole cluster at a glance, once or at every change."""
import sys

import click

from sundog.cli import show
from sundog.cli.session import EXITS, Session, json_option, pass_session, until_interrupted

CLEAR = "\x1b[H\x1b[2J"


@click.command(epilog=EXITS)
@click.option("--watch", "-w", is_flag=True, help="Show it again at every change, until control-C.")
@json_option
@pass_session
def command(session: Session, watch: bool) -> None:
    """Show nodes, links, groups and failures.

    This is what the coordinator of this host knows. The leader has a '*'. A group that is off was taken
    offline by an operator.

    \b
    Examples:
      sundog status
      sundog status --watch
      sundog status --json | jq .groups.web.owner
    """
    if not watch:
        status = session.control.status()
        session.say(show.overview(status), status)
        return
    before = CLEAR if sys.stdout.isatty() and not session.json else ""
    with until_interrupted():
        for status in session.control.changes():
            session.say(before + show.overview(status) + "\n", status)
