"""What the daemon wants of this host, over the adapters of solaris/ and the modules of resource/. All calls block."""
from typing import Dict, List, Mapping, Tuple

from sundog import resource
from sundog.config.model import Cluster, Group
from sundog.daemon.execute import Smf
from sundog.daemon.track import Seen
from sundog.errors import SundogError
from sundog.resource.instances import batch
from sundog.solaris import smf
from sundog.solaris.host import Host

COORDINATOR = "svc:/system/sundog/coordinator:default"
_OURS = ("svc:/system/sundog/resource/*", "svc:/system/sundog/group:*")


class HostSmf(Smf):
    """SMF of this host."""

    def __init__(self, host: Host) -> None:
        self.host = host

    def states(self) -> Mapping[str, Seen]:
        return {fmri: Seen(seen.state, seen.moving) for fmri, seen in smf.states(self.host.run, *_OURS).items()}

    def enable(self, fmris: Tuple[str, ...]) -> None:
        smf.enable(self.host.run, fmris)

    def disable(self, fmris: Tuple[str, ...], lasting: bool) -> None:
        smf.disable(self.host.run, fmris, lasting=lasting)

    def apply(self, cluster: Cluster) -> None:
        """Make the instances those of `cluster`, in one svccfg batch."""
        smf.configure(self.host.run, batch(cluster, set(self.states())))

    def coordinator_disabled(self) -> bool:
        """Is it the operator or a shutdown that ends this daemon, and not a restart?"""
        seen = smf.states(self.host.run, COORDINATOR).get(COORDINATOR)
        return seen is None or "disabled" in (seen.state, seen.next_state)


def stop_directly(host: Host, group: Group, name: str) -> None:
    """Stop a resource without SMF: what a failed start left behind. Raises SundogError."""
    found = next(one for one in group.resources if one.name == name)
    resource.module(found.type).stop(host, found.params)


def unfit(host: Host, cluster: Cluster, node: str, active: Tuple[str, ...]) -> Dict[str, str]:
    """Which groups this node could not run now, and why. Groups that run here are not asked."""
    found: Dict[str, str] = {}
    for group in cluster.groups.values():
        if node in group.nodes and group.name not in active:
            problems = [f"{name}: {text}" for name, text in _problems(host, group)]
            if problems:
                found[group.name] = "; ".join(problems)
    return found


def _problems(host: Host, group: Group) -> List[Tuple[str, str]]:
    problems: List[Tuple[str, str]] = []
    for one in group.resources:
        try:
            problems += [(one.name, str(problem)) for problem in resource.module(one.type).preflight(host, one.params)]
        except SundogError as error:
            problems.append((one.name, str(error)))
    return problems
