"""svcadm(8): writes what svc.startd acts on, and returns. Waiting (-s) is the command's own business."""
import time
from typing import TYPE_CHECKING, Dict, List, Optional

from sunlab.smf.authorise import Caller
from sunlab.smf.milestone import enabled
from sunlab.smf.options import Usage, act_on, flags, split
from sunlab.smf.orders import Asked, Enabled
from sunlab.smf.properties import Group, Prop, first
from sunlab.smf.repository import Instance

if TYPE_CHECKING:
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

USAGE = """Usage: svcadm [-v] [cmd [args ... ]]

\tsvcadm enable [-rst] <service> ...\t- enable and online service(s)
\tsvcadm disable [-c comment] [-st] <service> ...\t- disable and offline service(s)
\tsvcadm restart <service> ...\t\t- restart specified service(s)
\tsvcadm refresh <service> ...\t\t- re-read service configuration
\tsvcadm mark [-It] <state> <service> ...\t- set maintenance state
\tsvcadm clear <service> ...\t\t- clear maintenance state
\tsvcadm milestone [-d] <milestone>\t- advance to a service milestone"""
LETTERS = {"enable": "rst", "disable": "c:st", "restart": "d", "refresh": "", "mark": "It", "clear": "",
           "milestone": "d"}
COMMENT_MAX = 1024


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    try:
        found, rest = split(request.args, "vz:ZS:")
        outer = flags(found)
        if not rest or rest[0] not in LETTERS:
            raise Usage()
        found, operands = split(rest[1:], LETTERS[rest[0]])
        if not operands or (rest[0] == "mark" and len(operands) < 2):
            raise Usage()
    except Usage as wrong:
        reply.err((f"svcadm: {wrong}\n" if str(wrong) else "") + USAGE)
        return 2
    options = flags(found)
    beyond = [f"-{o}" for o in "ZS" if o in outer] + ["milestone"] * (rest[0] == "milestone") + ["restart -d"] * (
        rest[0] == "restart" and "d" in options)
    if beyond:
        reply.err(f"svcadm: {beyond[0]}: not modelled in this lab")
        return 1
    return Admin(startd, request, reply, options, "v" in outer).carry_out(rest[0], operands)


class Admin:
    """One svcadm command."""

    def __init__(self, startd: "Startd", request: "Request", reply: "Reply", options: Dict[str, str],
                 verbose: bool) -> None:
        self.startd = startd
        self.repository = startd.repository
        self.request = request
        self.reply = reply
        self.options = options
        self.verbose = verbose

    def carry_out(self, command: str, operands: List[str]) -> int:
        if len(self.options.get("c", "")) >= COMMENT_MAX:
            self.reply.err("svcadm: disable -c comment too long.")
            return 1
        if command == "mark":
            state = operands.pop(0)
            if state != "maintenance":
                self.reply.err("svcadm: mark degraded: not modelled in this lab" if state == "degraded" else USAGE)
                return 1 if state == "degraded" else 2
        act = {"enable": self.enable, "disable": self.disable, "restart": self.restart, "refresh": self.refresh,
               "mark": self.mark, "clear": self.clear}[command]

        caller = Caller(self.request.uid)

        def allowed(instance: Instance) -> Optional[int]:
            persistent = command in ("enable", "disable") and "t" not in self.options
            if not (caller.may_enable(instance, False) if persistent else caller.may_act(instance)):
                self.reply.err(f"svcadm: {instance.fmri}: Permission denied.")
                return 1
            return act(instance)
        return act_on(self.repository, operands, self.reply, "svcadm", allowed)

    def say(self, instance: Instance, text: str) -> None:
        if self.verbose:
            self.reply.out(text.replace("%", str(instance.fmri)))

    def enable(self, instance: Instance) -> Optional[int]:
        if "r" not in self.options:
            self.set_enabled(instance, True)
            return None
        from sunlab.smf.requires import what_it_requires
        caller = Caller(self.request.uid)
        for name in what_it_requires(self.startd, instance, self.reply):
            if not caller.may_enable(name, "t" in self.options):
                self.reply.err(f"svcadm: {name.fmri}: Permission denied.")
                return 1
            self.set_enabled(name, True)
        return None

    def disable(self, instance: Instance) -> Optional[int]:
        self.set_enabled(instance, False)
        return None

    def set_enabled(self, instance: Instance, wanted: bool) -> None:
        """-t: general_ovr alone; else general, and the override goes."""
        temporary = "t" in self.options
        value = Prop("boolean", ("true" if wanted else "false",))
        repository = self.repository
        if "general" not in instance.groups:
            repository.put_group(instance, "general", Group("framework", {}))
        if temporary:
            if "enabled" not in instance.groups["general"].props:
                repository.put(instance, "general", "enabled", Prop("boolean", ("false",)))
            instance.groups["general_ovr"] = Group("framework", {"enabled": value}, persistent=False)
        else:
            instance.groups.pop("general_ovr", None)
            if instance.groups["general"].props.get("enabled") != value:
                repository.put(instance, "general", "enabled", value)
        self.comment(instance, wanted, "general_ovr" if temporary else "general")
        word = "enabled" if wanted else "disabled"
        self.say(instance, f"% temporarily {word}." if temporary else f"% {word}.")
        self.startd.door.group_written(instance.fmri, "general_ovr" if temporary else "general")
        self.startd.queue.append(Enabled(str(instance.fmri), enabled(instance)))

    def comment(self, instance: Instance, wanted: bool, group: str) -> None:
        if not wanted and "c" in self.options:
            self.repository.put(instance, group, "comment", Prop("astring", (self.options["c"],)))
        elif first(instance.groups, group, "comment"):
            props = {n: p for n, p in instance.groups[group].props.items() if n != "comment"}
            self.repository.put_group(instance, group, instance.groups[group]._replace(props=props))

    def ask(self, instance: Instance, what: str, prop: str, aux: str = "none", immediate: bool = False) -> None:
        """Write restarter_actions, as svc.startd's queue wants it, and say so."""
        old = instance.groups.get("restarter_actions", Group("framework", {}, persistent=False))
        now = time.time_ns()
        props = {**old.props, prop: Prop("integer", (str(now),)),
                 "auxiliary_tty": Prop("boolean", ("true" if self.request.terminal else "false",))}
        instance.groups["restarter_actions"] = old._replace(props=props)
        self.say(instance, f"Action {prop} set for %.")
        self.startd.queue.append(Asked(str(instance.fmri), what, aux, immediate))

    def restart(self, instance: Instance) -> Optional[int]:
        self.ask(instance, "restart", "restart")
        return None

    def refresh(self, instance: Instance) -> Optional[int]:
        self.startd.refresh([instance.fmri])
        self.ask(instance, "refresh", "refresh")
        return None

    def mark(self, instance: Instance) -> Optional[int]:
        # -I and -t are parsed and go no further, as in illumos.
        aux = "administrative_request" if self.request.terminal else "service_request"
        self.ask(instance, "maintenance", "maint_on", aux)
        return None

    def clear(self, instance: Instance) -> Optional[int]:
        if first(instance.groups, "restarter", "state") != "maintenance":
            self.reply.err(f'svcadm: Instance "{instance.fmri}" is not in a maintenance or degraded state.')
            return 1
        self.ask(instance, "clear", "maint_off")
        return None
