"""`sundog group`: bring a group online, take it offline, move it, forget its failures."""
import time
from typing import Any, Callable, Mapping, Optional

import click

from sundog.cli.control import Lines
from sundog.cli.session import EXITS, Failed, Session, TimedOut, json_option, pass_session
from sundog.cli.wait import Aim, End, Entry, hopeless, judge
from sundog.config.fields import BadValue, Duration

QUIET_S = 1.0                           # how long nothing must happen before it is asked whether there is hope


def seconds(context: click.Context, option: click.Parameter, value: str) -> float:
    """A duration with its unit, as in the configuration."""
    try:
        return Duration.parse(value).seconds
    except BadValue as error:
        raise click.BadParameter(str(error), context, option) from error


@click.group(epilog=EXITS)
def command() -> None:
    """Operate failover groups.

    \b
    Examples:
      sundog group move web --node n2
      sundog group offline web --json
      sundog group clear web
    """


def waiting(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The options of everything that takes its time."""
    for option in (
            click.option("--timeout", default="5m", metavar="DURATION", callback=seconds, show_default=True,
                         help="How long to wait."),
            click.option("--wait/--no-wait", default=True, show_default=True,
                         help="Wait until it is done, or failed.")):
        handler = option(handler)
    return json_option(pass_session(handler))


@command.command(epilog=EXITS)
@click.argument("group")
@click.option("--node", default="", metavar="NODE", help="Bring it up there, rather than where the cluster places it.")
@waiting
def online(session: Session, group: str, node: str, wait: bool, timeout: float) -> None:
    """Bring GROUP online.

    \b
    Example:
      sundog group online web --node n2
    """
    carry_out(session, "online", group, node, timeout if wait else None)


@command.command(epilog=EXITS)
@click.argument("group")
@waiting
def offline(session: Session, group: str, wait: bool, timeout: float) -> None:
    """Take GROUP offline in the whole cluster. It stays so until it is asked for again.

    \b
    Example:
      sundog group offline web --timeout 10m
    """
    carry_out(session, "offline", group, "", timeout if wait else None)


@command.command(epilog=EXITS)
@click.argument("group")
@click.option("--node", default="", metavar="NODE", help="Where to; the next best node if it is not given.")
@waiting
def move(session: Session, group: str, node: str, wait: bool, timeout: float) -> None:
    """Move GROUP in an orderly way: stop it, see it stopped, start it on another node.

    \b
    Example:
      sundog group move web --node n2
    """
    carry_out(session, "move", group, node, timeout if wait else None)


@command.command(epilog=EXITS)
@click.argument("group")
@click.option("--node", default="", metavar="NODE", help="Forget only what failed there.")
@json_option
@pass_session
def clear(session: Session, group: str, node: str) -> None:
    """Forget that GROUP failed, so that it may be placed on those nodes again.

    \b
    Example:
      sundog group clear web --node n1
    """
    text = session.control.request("clear", group, node)
    session.say(text or f"{group}: failures forgotten", {"ok": True, "group": group, "text": text})


def carry_out(session: Session, request: str, group: str, node: str, timeout: Optional[float]) -> None:
    """Ask for it, and wait for its end if there is a `timeout` (seconds). Raises Failed or TimedOut."""
    begin = time.monotonic()
    session.facts["group"] = group
    if timeout is None:
        text = session.control.request(request, group, node)
        session.say(text or f"{group}: {request} accepted", {"ok": True, "group": group, "text": text})
        return
    with session.control.open(op="watch") as lines:
        before = session.control.status()["groups"].get(group)
        if before is None:
            raise Failed(f"there is no group {group}", "see 'sundog status'")
        session.control.request(request, group, node)
        end = wait_for(session, Aim(request, group, node, before), lines, begin + timeout)
    took = time.monotonic() - begin
    if not end.ok:
        raise Failed(end.text, f"see 'sundog explain {group}' and 'sundog log'")
    now = session.control.status()["groups"].get(group, {})
    session.say(f"{end.text}, after {took:.1f} s", {
        "ok": True, "group": group, "state": now.get("state"), "owner": now.get("owner"), "elapsed_s": round(took, 3)})


def wait_for(session: Session, aim: Aim, lines: Lines, deadline: float) -> End:
    """Follow the status until the request has ended. Raises TimedOut at `deadline` (time.monotonic)."""
    now = group_of(session.control.status(), aim)
    doubt_at = time.monotonic() + QUIET_S
    while True:
        end = judge(aim, now)
        if end is not None:
            return end
        if time.monotonic() >= deadline:
            raise TimedOut(f"{aim.group} is {now['state'] if now else 'unknown'} after the time allowed; it goes on",
                           f"see 'sundog explain {aim.group}', 'sundog status --watch'")
        if time.monotonic() >= doubt_at:
            # Nothing happened to the group for a while: is there hope? And did an answer cross with the request?
            end = hopeless(session.control.explain(aim.group)) if waits_for_a_node(aim, now) else None
            if end is not None:
                return end
            told, doubt_at = group_of(session.control.status(), aim), time.monotonic() + QUIET_S
        else:
            answer = lines.next(max(min(deadline, doubt_at) - time.monotonic(), 0.001))
            told = group_of(answer["status"], aim) if answer and "status" in answer else now
        if told != now:
            now, doubt_at = told, time.monotonic() + QUIET_S


def group_of(status: Mapping[str, Any], aim: Aim) -> Optional[Entry]:
    entry: Optional[Entry] = status["groups"].get(aim.group)
    return entry


def waits_for_a_node(aim: Aim, now: Optional[Entry]) -> bool:
    return aim.request != "offline" and now is not None and now["state"] == "offline"
