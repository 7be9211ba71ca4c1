"""What can happen to svc.startd's machine, and what it can ask for."""
from typing import NamedTuple, Tuple, Union

from sunlab.smf.spec import Spec


class Configured(NamedTuple):
    """An instance is new, or its running snapshot or enabled has been read anew."""
    fmri: str
    spec: Spec
    enabled: bool


class Loaded(NamedTuple):
    """Several instances at once (boot, import): all are known before any is judged."""
    instances: Tuple[Configured, ...]
    fmri: str = ""


class Removed(NamedTuple):
    fmri: str


class Enabled(NamedTuple):
    """The effective general/enabled (general_ovr over general) was written."""
    fmri: str
    enabled: bool


class Asked(NamedTuple):
    """An administrator's or a service's request: restart, refresh, clear, restore, degraded or maintenance."""
    fmri: str
    what: str
    aux: str = "none"
    immediate: bool = False


class MethodDone(NamedTuple):
    """A method has ended. `signal` kills are failures; `lingered`: the contract had to be killed after a stop;
    `invalid`: it could not be run at all (token, :kill without a contract)."""
    fmri: str
    method: str
    code: int
    signal: int = 0
    timed_out: bool = False
    lingered: bool = False
    invalid: bool = False

    @property
    def ok(self) -> bool:
        return not (self.code or self.signal or self.lingered or self.invalid)


class Fault(NamedTuple):
    """A contract event: kind is exit (nobody left), signal, core or hwerr."""
    fmri: str
    kind: str


class ChildExited(NamedTuple):
    fmri: str
    code: int


class Woken(NamedTuple):
    """The time of a Delay is over."""
    fmri: str


class Broken(NamedTuple):
    """svc.startd itself failed over this instance: its values make no sense."""
    fmri: str


class Bound(NamedTuple):
    """The delegated restarter of this name listens (librestart(3LIB), restarter_bind_handle)."""
    fmri: str


class Unbound(NamedTuple):
    """It listens no more."""
    fmri: str


class Reported(NamedTuple):
    """The restarter of an instance says what has become of it (restarter_set_states)."""
    fmri: str
    state: str
    next: str
    aux: str


Event = Union[Bound, Unbound, Reported, Broken, Loaded, Removed, Enabled, Asked, MethodDone, Fault, ChildExited, Woken]


class Run(NamedTuple):
    fmri: str
    method: str


class Abandon(NamedTuple):
    """Stop watching the instance's contract; its processes live on."""
    fmri: str


class State(NamedTuple):
    """Write the restarter group."""
    fmri: str
    state: str
    next: str
    aux: str


class TakeStart(NamedTuple):
    """Take the snapshot `start`."""
    fmri: str


class Log(NamedTuple):
    """A line for the instance's log."""
    fmri: str
    text: str


class DisableTemporarily(NamedTuple):
    """Write general_ovr/enabled=false, as `svcadm disable -t` does."""
    fmri: str


class Delay(NamedTuple):
    fmri: str
    seconds: float


class Tell(NamedTuple):
    """An event for a restarter other than svc.startd: add, remove, enable, disable, start, stop, or what somebody asked
    for. `state`: where the instance is; `detail`: an auxiliary state."""
    fmri: str
    restarter: str
    what: str
    enabled: bool
    state: str
    detail: str = ""


Order = Union[Tell, Run, Abandon, State, TakeStart, Log, DisableTemporarily, Delay]
