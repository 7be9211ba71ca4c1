"""When has a group done what was asked of it? Pure: from what the status said before, and says now."""
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional

Entry = Mapping[str, Any]               # a group in the status; see docs/architecture.md, Control socket


@dataclass(frozen=True)
class Aim:
    """What was asked for. `before` is the group's entry from before the request."""
    request: str                        # online | offline | move
    group: str
    node: str                           # empty: wherever the cluster places it
    before: Entry


@dataclass(frozen=True)
class End:
    ok: bool
    text: str


def judge(aim: Aim, now: Optional[Entry]) -> Optional[End]:
    """How it ended, or None while it is under way."""
    if now is None:
        return End(False, f"group {aim.group} is not in the configuration any more")
    if reached(aim, now):
        where = f" on {now['owner']}" if now["state"] == "online" else ""
        return End(True, f"{aim.group} is {now['state']}{where}")
    if now == aim.before:
        return None
    if now["state"] == "stop-failed":
        return End(False, f"{aim.group} could not be stopped on {now['owner']}: {now['why']}")
    if aim.request != "offline" and now["wanted"] == "offline":
        return End(False, f"{aim.group} was taken offline meanwhile: {now['why']}")
    if aim.request == "offline" and now["wanted"] == "online" and aim.before["wanted"] == "offline":
        return End(False, f"{aim.group} was asked for meanwhile: {now['why']}")
    if now["state"] == "online" and now["epoch"] > aim.before["epoch"]:
        return End(False, f"{aim.group} came online on {now['owner']} instead: {now['why']}")
    return None


def reached(aim: Aim, now: Entry) -> bool:
    if aim.request == "offline":
        return bool(now["state"] == now["wanted"] == "offline")
    if not now["state"] == now["wanted"] == "online":
        return False
    if aim.node:
        return bool(now["owner"] == aim.node)
    return aim.request == "online" or bool(now["owner"] != aim.before["owner"])


def hopeless(explained: Mapping[str, Any]) -> Optional[End]:
    """A group that no node can take stays offline; the reasons, node by node."""
    verdicts: List[Mapping[str, str]] = explained["candidates"]
    if explained["state"] != "offline" or any(one["verdict"] in ("chosen", "fits") for one in verdicts):
        return None
    reasons = "; ".join(f"{one['node']}: {one['verdict']}" for one in verdicts)
    return End(False, f"{explained['group']} stays offline, no node can take it ({reasons})")
