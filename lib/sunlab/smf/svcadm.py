"""svcadm(8): writes what svc.startd acts on, and returns. Waiting (-s) is the command's own business."""
import signal
import time
from typing import TYPE_CHECKING, Dict, List, Optional, Tuple

from sunlab.smf.authorise import Caller
from sunlab.smf.fmri import GOALS
from sunlab.smf.milestone import NAMES, enabled, without_override
from sunlab.smf.options import Usage, act_on, flags, split
from sunlab.smf.orders import Asked, Enabled
from sunlab.smf.properties import Group, Prop, first
from sunlab.smf.repository import Instance

if TYPE_CHECKING:
    from sunlab.platform import Platform
    from sunlab.smf.door import Reply, Request
    from sunlab.smf.startd import Startd

USAGE = """Usage: svcadm [-v] [cmd [args ... ]]

\tsvcadm enable [-rst] <service> ...\t- enable and online service(s)
\tsvcadm disable [-c comment] [-st] <service> ...\t- disable and offline service(s)
\tsvcadm restart [-d] <service> ...\t- restart specified service(s)
\tsvcadm refresh <service> ...\t\t- re-read service configuration
\tsvcadm mark [-It] <state> <service> ...\t- set maintenance state
\tsvcadm clear <service> ...\t\t- clear maintenance state
\tsvcadm milestone [-d] <milestone>\t- advance to a service milestone"""
MILESTONE_USAGE = """Usage: svcadm milestone [-d] <milestone>

\t-d\tmake the specified milestone the default for system boot

\tMilestones can be specified using an FMRI or abbreviation.
\tThe major milestones are as follows:

""" + "\n".join(f"\t{name}" for name in NAMES)
COMMENT_MAX = 1024
STATES = ("uninitialized", "maintenance", "offline", "disabled", "online", "degraded")


def letters(platform: "Platform") -> Dict[str, str]:
    """The subcommands of this platform, and their options."""
    comment = "c:" if platform.selects_by_state else ""
    found = {"enable": "rst", "disable": "st" + comment, "restart": "d", "refresh": "", "mark": "It", "clear": "",
             "milestone": "d"}
    if not platform.goals:
        return found
    # Solaris 11.4 waits for each of them; of a milestone that is not modelled.
    waits = {name: options.replace("s", "") + "sT:" for name, options in found.items() if name != "milestone"}
    return {**found, **waits, "goals": "csT:"}


def run(startd: "Startd", request: "Request", reply: "Reply") -> int:
    known = letters(startd.platform)
    try:
        found, rest = split(request.args, "vz:Z" + ("S:" if startd.platform.selects_by_state else ""))
        outer = flags(found)
        if not rest or rest[0] not in known:
            raise Usage()
        found, operands = split(rest[1:], known[rest[0]])
        options = flags(found)
        check(rest[0], options, operands, outer)
    except Usage as wrong:
        told = MILESTONE_USAGE if request.args[:1] == ["milestone"] else USAGE
        reply.err((f"svcadm: {wrong}\n" if str(wrong) else "") + told)
        return 2
    admin = Admin(startd, request, reply, options, "v" in outer)
    return admin.carry_out(rest[0], operands, outer.get("S"))


def check(command: str, options: Dict[str, str], operands: List[str], outer: Dict[str, str]) -> None:
    """Raises Usage."""
    if command == "goals" and ("c" in options) != bool(operands):
        return
    if outer.get("S", STATES[0]) not in STATES:
        raise Usage(f"invalid state '{outer['S']}'")
    if "T" in options and ("s" not in options or not options["T"].strip().isdigit()):
        raise Usage()
    least = {"mark": 2}.get(command, 1) - ("S" in outer)
    if len(operands) < least or ("S" in outer and len(operands) > least) or command == "goals":
        raise Usage()


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
        self.caller = Caller(request.uid)

    def carry_out(self, command: str, operands: List[str], state: Optional[str]) -> int:
        if len(self.options.get("c", "")) >= COMMENT_MAX:
            self.reply.err("svcadm: disable -c comment too long.")
            return 1
        if command == "milestone":
            return self.milestone(operands[0])
        if command == "goals":
            return self.goals(operands)
        act = {"enable": self.enable, "disable": self.disable, "restart": self.restart, "refresh": self.refresh,
               "mark": self.mark, "clear": self.clear}[command]
        if command == "mark":
            marked = operands.pop(0)
            if marked not in ("maintenance", "degraded"):
                self.reply.err(USAGE)
                return 2
            if marked == "degraded" and "t" in self.options:
                self.reply.err("svcadm: -t may not be used with degraded.")
                return 2
            act = self.degrade if marked == "degraded" else self.mark

        def allowed(instance: Instance) -> Optional[int]:
            persistent = command in ("enable", "disable") and "t" not in self.options
            if not (self.caller.may_enable(instance, False) if persistent else self.caller.may_act(instance)):
                self.reply.err(f"svcadm: {instance.fmri}: Permission denied.")
                return 1
            return act(instance)
        if state is not None:
            there = [i for i in self.repository.instances() if first(i.groups, "restarter", "state") == state]
            return max([allowed(instance) or 0 for instance in there], default=0)
        return act_on(self.repository, operands, self.reply, "svcadm", allowed)

    def say(self, instance: Instance, text: str) -> None:
        if self.verbose:
            self.reply.out(text.replace("%", str(instance.fmri)))

    # --- enabled or not

    def enable(self, instance: Instance) -> Optional[int]:
        if "r" not in self.options:
            self.set_enabled(instance, True)
            return None
        from sunlab.smf.requires import what_it_requires
        for name in what_it_requires(self.startd, instance, self.reply):
            if not self.caller.may_enable(name, "t" in self.options):
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
            without_override(instance)
            if instance.groups["general"].props.get("enabled") != value:
                repository.put(instance, "general", "enabled", value)
        self.comment(instance, wanted, "general_ovr" if temporary else "general")
        word = "enabled" if wanted else "disabled"
        self.say(instance, f"% temporarily {word}." if temporary else f"% {word}.")
        self.startd.queue.append(Enabled(str(instance.fmri), enabled(instance)))

    def comment(self, instance: Instance, wanted: bool, group: str) -> None:
        if not wanted and "c" in self.options:
            self.repository.put(instance, group, "comment", Prop("astring", (self.options["c"],)))
        elif first(instance.groups, group, "comment"):
            props = {n: p for n, p in instance.groups[group].props.items() if n != "comment"}
            self.repository.put_group(instance, group, instance.groups[group]._replace(props=props))

    # --- requests to the restarter

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
        contract = self.startd.methods.primary.get(str(instance.fmri))
        if "d" in self.options:
            self.say(instance, "Action dodump set for %.")
            if contract is not None:
                self.startd.contracts.signal(contract, signal.SIGABRT)
        self.ask(instance, "restart", "restart")
        return None

    def refresh(self, instance: Instance) -> Optional[int]:
        self.startd.refresh([instance.fmri])
        self.ask(instance, "refresh", "refresh")
        return None

    def asked_by(self) -> str:
        return "administrative_request" if self.request.terminal else "service_request"

    def mark(self, instance: Instance) -> Optional[int]:
        # -I and -t are parsed and go no further, as in illumos.
        self.ask(instance, "maintenance", "maint_on", self.asked_by())
        return None

    def degrade(self, instance: Instance) -> Optional[int]:
        if first(instance.groups, "restarter", "state") != "online":
            self.reply.err(f'svcadm: Instance "{instance.fmri}" is not online.')
            return 1
        self.ask(instance, "degraded", "degraded", self.asked_by())
        return None

    def clear(self, instance: Instance) -> Optional[int]:
        state = first(instance.groups, "restarter", "state")
        if state == "degraded":
            self.ask(instance, "restore", "restore")
        elif state == "maintenance":
            self.ask(instance, "clear", "maint_off")
        else:
            self.reply.err(f'svcadm: Instance "{instance.fmri}" is not in a maintenance or degraded state.')
            return 1
        return None

    # --- the whole host

    def milestone(self, wanted: str) -> int:
        """options_ovr/milestone of svc.startd's instance; with -d options/milestone, and no override."""
        from sunlab.smf import milestone
        name = milestone.named(wanted)
        if name is None:
            self.reply.err(f'"{wanted}" is not a valid major milestone.\n{MILESTONE_USAGE}')
            return 2
        master = milestone.master(self.repository)
        if master is None or not self.caller.may_act(master):
            self.reply.err("svcadm: svc:/system/svc/restarter:default: Permission denied.")
            return 1
        group = "options" if "d" in self.options else "options_ovr"
        if group not in master.groups:
            self.repository.put_group(master, group, Group("framework", {}, persistent=group == "options"))
        self.repository.put(master, group, "milestone", Prop("astring", (name,)))
        if group == "options":
            master.groups.pop("options_ovr", None)
        milestone.go(self.startd, name)
        return 0

    def goals(self, operands: List[str]) -> int:
        """The services that svc:/milestone/goals:default stands for (Solaris 11.4); -c: as installed."""
        from sunlab.smf import milestone
        goal = milestone.goals(self.repository)
        if goal is None or not self.caller.may_enable(goal, False):
            self.reply.err(f"svcadm: {GOALS}: Permission denied.")
            return 1
        chosen: List[str] = []

        def choose(instance: Instance) -> Optional[int]:
            chosen.append(str(instance.fmri))
            return None
        status = act_on(self.repository, operands, self.reply, "svcadm", choose)
        if not status:
            entities: Tuple[str, ...] = tuple(chosen) or milestone.INSTALLED_GOALS
            self.repository.put(goal, "goals", "entities", Prop("fmri", entities))
            self.startd.refresh([goal.fmri])
            self.ask(goal, "clear", "maint_off")
        return status
