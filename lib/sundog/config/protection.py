"""The section `protection`: what a node does about itself when it is sick: shapes, checks, model."""
from typing import Optional

from sundog.config.fields import AbsPath, Address, Duration, Name, Size, Word, quoted, strangers
from sundog.config.model import Probe, Protection, Watchdog
from sundog.config.shape import Integer, Key, Named, Record, Report, Scalar, Section, Typed, nearest


class Expiry(Word):
    allowed = ("reset", "panic")


class Action(Word):
    allowed = ("reset", "report", "ignore")


class Interface(Word):
    """How ipmitool reaches the controller: the host's own driver, or the network."""
    allowed = ("bmc", "open", "lanplus")


class Interrupt(Word):
    """What the controller does a second before (IPMI 2.0, 27.6): an NMI, on which a host may panic, or a message."""
    allowed = ("none", "nmi", "message")


class Within(Duration):
    """How long a probe may find nothing but trouble."""
    kind = "a time for a probe"
    example = "30s or 2m; from 5s to 1h"

    @classmethod
    def objection(cls, text: str) -> str:
        return super().objection(text) or ("" if 5 <= Duration(text).seconds <= 3600 else "it is out of bounds")


class Stop(Duration):
    """How long the groups of a node that is leaving may take; svc.startd kills the coordinator after 30 min."""
    kind = "a time for a shutdown"
    example = "5m; from 10s to 29m"

    @classmethod
    def objection(cls, text: str) -> str:
        return super().objection(text) or ("" if 10 <= Duration(text).seconds <= 1740 else "it is out of bounds")


class Period(Duration):
    """The watchdog's own deadline; IPMI 2.0 (27.6) counts 16 bits of 100 ms."""
    kind = "a watchdog's time"
    example = "30s; from 5s to 1h"

    @classmethod
    def objection(cls, text: str) -> str:
        return super().objection(text) or ("" if 5 <= Duration(text).seconds <= 3600 else "it is out of bounds")


class Reserve(Size):
    @classmethod
    def objection(cls, text: str) -> str:
        wrong = super().objection(text)
        return wrong or ("" if 1 << 20 <= Size(text).bytes <= 1 << 30 else "it is not between 1M and 1G")


class User(Name):
    """IPMI 2.0 (22.28): at most 16 characters."""
    kind = "a user of the controller"
    example = "sundog, at most 16 characters"

    @classmethod
    def objection(cls, text: str) -> str:
        return strangers(text, "-_.") or ("" if 0 < len(text) <= 16 else "it is empty or longer than 16 characters")


_PROBE = {"action": Key(Scalar(Action)), "within": Key(Scalar(Within))}
WATCHDOG = Typed({
    "ipmi": Section({
        "type": Key(Scalar(Name), required=True),
        "interface": Key(Scalar(Interface)),
        "interrupt": Key(Scalar(Interrupt)),
        "timeout": Key(Scalar(Period)),
        "addresses": Key(Named(Scalar(Address))),
        "user": Key(Scalar(User)),
        "password_file": Key(Scalar(AbsPath)),
        "cipher": Key(Integer(0, 17)),
    }),
    "none": Section({"type": Key(Scalar(Name), required=True)}),
})
SECTION = Section({
    "expiry": Key(Scalar(Expiry)),
    "watchdog": Key(WATCHDOG),
    "processes": Key(Section(_PROBE)),
    "memory": Key(Section({**_PROBE, "reserve": Key(Scalar(Reserve))})),
    "root_disk": Key(Section(_PROBE)),
    "shutdown": Key(Scalar(Stop)),
})


def default_period_s(timeout_s: float) -> float:
    """Several times L, so that failfast comes first and the strokes cost little (docs/daemon.md)."""
    return max(20.0, 5 * timeout_s)


def check(top: Record, report: Report) -> None:
    """Does the watchdog know its controllers, and does it leave the first word to failfast?"""
    protection = top.record("protection")
    if "watchdog" not in protection or protection.record("watchdog").value("type") != "ipmi":
        return
    watchdog, where = protection.record("watchdog"), protection["watchdog"].key
    lan = watchdog.value("interface", Watchdog.interface) == "lanplus"
    for key in ("addresses", "user", "password_file"):
        if lan and key not in watchdog.names:
            report.say(where, f"protection.watchdog has no {quoted(key)}, which interface lanplus needs",
                       f"add '{key}: …', or use interface bmc")
        elif not lan and key in watchdog.names:
            report.say(watchdog.names[key], f"protection.watchdog.{key} is for interface lanplus only",
                       "leave it out, or write 'interface: lanplus'")
    if lan:
        check_addresses(watchdog, top.record("nodes"), report)
    timing = top.record("timing")
    timeout_s = timing.value("timeout").seconds if "timeout" in timing else 2.0
    if "timeout" in watchdog and watchdog.value("timeout").seconds <= timeout_s:
        report.say(watchdog["timeout"].mark, f"protection.watchdog.timeout {watchdog.value('timeout')} is not longer "
                   "than timing.timeout: the controller would come before failfast",
                   f"write {default_period_s(timeout_s):g}s, or leave it out")


def check_addresses(watchdog: Record, nodes: Record, report: Report) -> None:
    addresses = watchdog.record("addresses")
    for name, mark in addresses.names.items():
        if nodes.names and name not in nodes.names:
            near = nearest(name, nodes.names)
            report.say(mark, f"protection.watchdog.addresses names node {quoted(name)}, which there is not",
                       (f"did you mean '{near}'? " if near else "") + f"nodes are {', '.join(nodes.names)}")
    missing = [name for name in nodes.names if name not in addresses.names]
    if "addresses" in watchdog and missing:
        report.say(watchdog["addresses"].key, f"protection.watchdog.addresses has none for {', '.join(missing)}",
                   f"add '{missing[0]}: …', the address of its controller")


def build(section: Record, timeout_s: float) -> Protection:
    """The model of a section without errors. `timeout_s`: L."""
    default = Protection()
    reserve = section.record("memory").value("reserve")
    shutdown = section.value("shutdown")
    return Protection(
        expiry=str(section.value("expiry", default.expiry)),
        watchdog=_watchdog(section.record("watchdog"), timeout_s),
        processes=_probe(section.record("processes"), default.processes),
        memory=_probe(section.record("memory"), default.memory),
        reserve_bytes=default.reserve_bytes if reserve is None else reserve.bytes,
        root_disk=_probe(section.record("root_disk"), default.root_disk),
        shutdown_s=default.shutdown_s if shutdown is None else shutdown.seconds)


def _probe(section: Record, default: Probe) -> Probe:
    within = section.value("within")
    return Probe(str(section.value("action", default.action)), default.within_s if within is None else within.seconds)


def _watchdog(section: Record, timeout_s: float) -> Optional[Watchdog]:
    if section.value("type") != "ipmi":
        return None
    period = section.value("timeout")
    return Watchdog(
        default_period_s(timeout_s) if period is None else period.seconds,
        str(section.value("interface", Watchdog.interface)),
        str(section.value("interrupt", Watchdog.interrupt)),
        {name: str(found.value) for name, found in section.record("addresses").items()},
        str(section.value("user", "")), str(section.value("password_file", "")), section.value("cipher"))
