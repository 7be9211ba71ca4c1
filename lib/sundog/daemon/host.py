"""What the daemon wants of this host, over the adapters of solaris/ and the modules of resource/. All calls block."""
from typing import Dict, List, Mapping, Sequence, Tuple

import sundog.solaris.smf as smf
from sundog import resource
from sundog.config import scsi
from sundog.config.model import Cluster, Group
from sundog.daemon.execute import Smf
from sundog.daemon.track import Seen
from sundog.errors import SundogError
from sundog.resource.instances import batch
from sundog.solaris import zpool
from sundog.solaris.host import Host

COORDINATOR = "svc:/system/sundog/coordinator:default"
_OURS = ("svc:/system/sundog/resource/*", "svc:/system/sundog/group:*")


class Surroundings(Smf):
    """All that the daemon needs of its host. Each call blocks and may raise SundogError."""

    def hostid(self) -> str:
        raise NotImplementedError

    def apply(self, cluster: Cluster) -> None:
        """Make the SMF instances those of `cluster`."""
        raise NotImplementedError

    def stop_directly(self, group: Group, name: str) -> None:
        """Stop a resource without SMF: what a failed start left behind."""
        raise NotImplementedError

    def unfit(self, cluster: Cluster, node: str, active: Tuple[str, ...]) -> Dict[str, str]:
        """Which groups this node could not run now, and why. Groups that are active here are not asked."""
        raise NotImplementedError


class ThisHost(Surroundings):
    """The host that the daemon runs on."""

    def __init__(self) -> None:
        self.host = Host()

    def hostid(self) -> str:
        return self.host.hostid()

    def states(self) -> Mapping[str, Seen]:
        return {fmri: Seen(seen.state, seen.moving) for fmri, seen in smf.states(self.host.run, *_OURS).items()}

    def enable(self, fmris: Tuple[str, ...]) -> None:
        smf.enable(self.host.run, fmris)

    def disable(self, fmris: Tuple[str, ...], lasting: bool) -> None:
        smf.disable(self.host.run, fmris, lasting=lasting)

    def apply(self, cluster: Cluster) -> None:
        smf.configure(self.host.run, batch(cluster, set(self.states())))

    def coordinator_disabled(self) -> bool:
        return not smf.enabled(self.host.run, COORDINATOR)

    def stop_directly(self, group: Group, name: str) -> None:
        found = next(one for one in group.resources if one.name == name)
        try:
            resource.module(found.type).stop(self.host, found.params)
        except OSError as error:
            raise SundogError(f"{name} cannot be stopped: {error.strerror}", "sundog status tells whether this host "
                              f"is well; stop {name} by hand") from error

    def unfit(self, cluster: Cluster, node: str, active: Tuple[str, ...]) -> Dict[str, str]:
        found: Dict[str, str] = {}
        waiting = [group for group in cluster.groups.values() if node in group.nodes and group.name not in active]
        unguarded = _unguarded(self.host, cluster, node, waiting)
        for group in waiting:
            problems = [f"{name}: {text}" for name, text in [*_problems(self.host, group), *unguarded[group.name]]]
            if problems:
                found[group.name] = "; ".join(problems)
        return found


def _unguarded(host: Host, cluster: Cluster, node: str, groups: Sequence[Group]) -> Dict[str, List[Tuple[str, str]]]:
    """Pools on disks from which a fence of type scsi would not keep this node: its proof would not hold for them.

    By group. All pools are listed at once: each listing reads every disk of the host.
    """
    problems: Dict[str, List[Tuple[str, str]]] = {group.name: [] for group in groups}
    pools = [(group.name, one) for group in groups for one in group.resources if one.type == "zpool"]
    if not pools or not scsi.disks_of(cluster, node):
        return problems
    try:
        listed = zpool.importable(host.run)
    except SundogError:
        return problems                 # the pools' own preflights have said it
    for group, one in pools:
        disks = scsi.unnamed(cluster, node, listed[one.params.pool].disks if one.params.pool in listed else ())
        if disks:
            problems[group].append((one.name, f"pool {one.params.pool} is on {', '.join(disks)}, which the fence of "
                                    f"{node} by scsi does not name; add it to fence.{node}"))
    return problems


def _problems(host: Host, group: Group) -> List[Tuple[str, str]]:
    problems: List[Tuple[str, str]] = []
    for one in group.resources:
        try:
            problems += [(one.name, str(problem)) for problem in resource.module(one.type).preflight(host, one.params)]
        except SundogError as error:
            problems.append((one.name, str(error)))
        except OSError as error:
            problems.append((one.name, f"{error.filename or 'it cannot be looked at'}: {error.strerror}"))
    return problems
