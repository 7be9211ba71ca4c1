"""`sundog`, the operator's command: finds the subcommand, and turns errors into words and exit statuses.

A subcommand's module is imported only when it is called: the command starts fast.
"""
import sys
from importlib import import_module
from typing import Any, List, Mapping, Optional, Sequence

import click

from sundog.cli.control import CONTROL, NoDaemon
from sundog.cli.session import BAD, EXITS, FAILED, NO_DAEMON, Failed, Session, as_json
from sundog.errors import ConfigProblem, SundogError

SUBCOMMANDS: Mapping[str, str] = {name: f"sundog.cli.{name}" for name in (
    "status", "group", "node", "link", "quorum", "fence", "explain", "log", "check", "apply")}


class Lazy(click.Group):
    """A group that imports a subcommand when it is named."""

    def list_commands(self, ctx: click.Context) -> List[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Optional[click.Command]:
        if cmd_name not in SUBCOMMANDS:
            return None
        command: click.Command = import_module(SUBCOMMANDS[cmd_name]).command
        return command


def version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from sundog.version import VERSION
        click.echo(f"sundog {VERSION}")
        context.exit()


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
               epilog=EXITS)
@click.option("--control", default=CONTROL, show_default=True, metavar="PATH", help="The coordinator's control socket.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=version,
              help="Print the version.")
@click.pass_context
def sundog(context: click.Context, control: str) -> None:
    """Operate a Sundog cluster from any of its nodes.

    \b
    Examples:
      sundog status --watch
      sundog group move web --node n2
      sundog explain web
      sundog check cluster.yaml && sundog apply cluster.yaml
    """
    context.ensure_object(Session).path = control


def exit_status(error: SundogError) -> int:
    if isinstance(error, NoDaemon):
        return NO_DAEMON
    if isinstance(error, Failed):
        return error.exit
    return BAD if isinstance(error, ConfigProblem) else FAILED


def run(args: Optional[Sequence[str]] = None) -> int:
    """Run the command with `args` (sys.argv without its first, if None). Its exit status."""
    session = Session()
    try:
        status: Any = sundog.main(args=None if args is None else list(args), prog_name="sundog", obj=session,
                                  standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("sundog: interrupted", err=True)
        return FAILED
    except SundogError as error:
        if session.json:
            click.echo(as_json({"ok": False, "error": error.what, "remedy": error.remedy, **session.facts}))
        else:
            click.echo(f"sundog: {error}", err=True)
        return exit_status(error)
    return status if isinstance(status, int) else 0


def main() -> None:
    sys.exit(run())


if __name__ == "__main__":
    main()
