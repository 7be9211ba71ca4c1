"""`sundog log`: what this host's coordinator decided and saw, from its journal."""
import click

from sundog.cli import show
from sundog.cli.session import EXITS, Session, json_option, pass_session, until_interrupted


@click.command(epilog=EXITS)
@click.option("-n", "--lines", type=click.IntRange(0, 1000), default=20, show_default=True,
              help="How many of the last entries.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new entries, until control-C.")
@json_option
@pass_session
def command(session: Session, lines: int, follow: bool) -> None:
    """Show the journal of this host's coordinator.

    Each line is time, severity, event id, group and node, text.

    \b
    Examples:
      sundog log -n 100
      sundog log -f
      sundog log -n 1000 --json | jq -r 'select(.code == "TAKEOVER") | .text'
    """
    with until_interrupted():
        for entry in session.control.log(lines, follow):
            session.say(show.entry(entry), entry)
