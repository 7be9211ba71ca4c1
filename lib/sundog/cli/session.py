"""What every subcommand has: the way to the daemon, the form of the answer, and what the exit statuses mean."""
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, ClassVar, Dict, Iterator, TypeVar

import click

from sundog.cli.control import CONTROL, Control
from sundog.errors import SundogError

FAILED, BAD, NO_DAEMON, TIMED_OUT = 1, 2, 3, 4
EXITS = """\b
Exit status: 0 done; 1 failed or refused; 2 wrong usage or configuration;
3 the coordinator on this host does not answer; 4 timed out while waiting."""

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Failed(SundogError):
    """The command did not do what it was asked for."""
    exit: ClassVar[int] = FAILED


class TimedOut(Failed):
    exit = TIMED_OUT


@dataclass
class Session:
    """One run of the command."""
    path: str = CONTROL
    json: bool = False
    facts: Dict[str, Any] = field(default_factory=dict)     # what --json tells of an error besides its text

    @property
    def control(self) -> Control:
        return Control(self.path)

    def say(self, text: str, answer: Any) -> None:
        """Print `text`, or `answer` where --json was given."""
        click.echo(as_json(answer) if self.json else text)


def as_json(answer: Any) -> str:
    import json
    return json.dumps(answer, ensure_ascii=False)


def pass_session(command: Callable[..., Any]) -> Callable[..., Any]:
    """Call `command` with the Session before its own arguments."""
    return click.make_pass_decorator(Session, ensure=True)(command)


def json_option(command: Handler) -> Handler:
    """--json, remembered in the session, so that errors are JSON as well."""
    def remember(context: click.Context, _: click.Parameter, value: bool) -> bool:
        context.ensure_object(Session).json = value
        return value

    return click.option("--json", is_flag=True, expose_value=False, is_eager=True, callback=remember,
                        help="Print JSON instead of text.")(command)


@contextmanager
def until_interrupted() -> Iterator[None]:
    """What goes on for ever ends well when the operator types control-C."""
    try:
        yield
    except KeyboardInterrupt:
        return
