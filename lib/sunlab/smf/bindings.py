"""The connections of delegated restarters to svc.startd: events go out, states come in, a JSON line each (librestart).

A restarter asks at the door for `restarter` with its own FMRI, and keeps the connection.
Out: {"event": …, "fmri": …, "enabled": …, "state": …, "detail": …}. In: {"fmri": …, "state": …, "next": …, "aux": …}.
"""
import json
from typing import TYPE_CHECKING, Dict

from sunlab.smf.fmri import parse
from sunlab.smf.orders import Bound, Reported, Tell, Unbound

if TYPE_CHECKING:
    from sunlab.smf.door import Request
    from sunlab.smf.startd import Startd

STATES = ("uninitialized", "disabled", "offline", "online", "degraded", "maintenance")


class Bindings:
    def __init__(self, startd: "Startd") -> None:
        self.startd = startd
        self.at: Dict[int, str] = {}        # descriptor -> the restarter's FMRI

    def bind(self, descriptor: int, request: "Request") -> bool:
        """False where the caller may not be that restarter, or another is already."""
        name = parse(request.args[0]) if len(request.args) == 1 else None
        if request.uid != 0 or name is None or self.startd.repository.instance(name) is None or (
                str(name) in self.at.values()):
            return False
        self.at[descriptor] = str(name)
        self.startd.queue.append(Bound(str(name)))
        return True

    def heard(self, descriptor: int, lines: bytes) -> None:
        """Whole lines. Raises ValueError, KeyError for what is no report."""
        for line in lines.splitlines():
            told = json.loads(line)
            if told["state"] not in STATES or told["next"] not in (*STATES, "none"):
                raise ValueError(f"no state: {line!r}")
            self.startd.queue.append(Reported(told["fmri"], told["state"], told["next"], told["aux"]))

    def closed(self, descriptor: int) -> None:
        restarter = self.at.pop(descriptor, None)
        if restarter is not None:
            self.startd.queue.append(Unbound(restarter))

    def tell(self, order: Tell) -> None:
        line = json.dumps({"event": order.what, "fmri": order.fmri, "enabled": order.enabled, "state": order.state,
                           "detail": order.detail}) + "\n"
        for descriptor, restarter in list(self.at.items()):
            if restarter == order.restarter:
                self.startd.door.send(descriptor, line.encode())
