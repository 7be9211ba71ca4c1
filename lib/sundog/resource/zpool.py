"""zpool: a ZFS pool that moves between hosts. Imported by permit, forced only if the permit says so."""
import time
from typing import List, NamedTuple

from sundog.config.fields import PoolName
from sundog.errors import SundogError
from sundog.resource.terms import Condition, Permit, Problem, State
from sundog.solaris import zfs, zpool
from sundog.solaris.host import Host

#: An import may wait for the activity check of multihost (25 s a pool and more) and mount a thousand file systems.
IMPORT_S = 1700.0
EXPORT_S = 240.0
BUSY_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0, 2.0)
WORKING = ("ONLINE", "DEGRADED")


class Params(NamedTuple):
    pool: PoolName


def start(host: Host, p: Params, permit: Permit) -> None:
    """Import the pool, its file systems mounted. Raises PoolInUse, PoolNotFound, PoolSuspended, CommandFailed."""
    health = zpool.health(host.run, p.pool)
    if health is None:
        zpool.import_pool(host.run, p.pool, force=permit.force, timeout_s=IMPORT_S)
        return
    refuse_broken(p.pool, health)
    # An import that was cut short, or could not mount everything, left the pool here.
    for system in zfs.file_systems(host.run, p.pool):
        if system.wanted and not system.mounted:
            zfs.mount(host.run, system.name)


def refuse_broken(pool: str, health: str) -> None:
    if health not in WORKING:
        raise zpool.PoolSuspended(f"pool {pool} is {health} on this host",
                                  f"zpool status {pool}; a suspended pool needs a reboot of this host")


def stop(host: Host, p: Params) -> None:
    """Export the pool; success if it is not imported. Raises PoolBusy, which names who holds it, PoolSuspended."""
    health = zpool.health(host.run, p.pool)
    if health is None:
        return
    if health == "SUSPENDED":
        refuse_broken(p.pool, health)
    for pause_s in (*BUSY_PAUSES_S, None):
        try:
            zpool.export_pool(host.run, p.pool, timeout_s=EXPORT_S)
            return
        except zpool.PoolBusy as busy:
            if pause_s is None:
                busy.what += holders(host, p.pool)
                raise
        # Processes that were told to end a moment ago may not be gone yet.
        time.sleep(pause_s)


def holders(host: Host, pool: str) -> str:
    """Who uses the pool's file systems, as the end of a sentence."""
    try:
        found = [(system.mountpoint, zfs.users(host.run, system.mountpoint))
                 for system in zfs.file_systems(host.run, pool) if system.mounted]
    except SundogError as error:
        # Busy is what the operator must know first.
        return f" (by whom could not be found out: {error.what})"
    named = [f"{mountpoint} by processes {pids}" for mountpoint, pids in found if pids]
    return f" ({', '.join(named)})" if named else ""


def probe(host: Host, p: Params) -> State:
    health = zpool.health(host.run, p.pool)
    if health is None:
        return State(Condition.OFFLINE, "not imported")
    return State(Condition.ONLINE if health in WORKING else Condition.FAILED, health)


def preflight(host: Host, p: Params) -> List[Problem]:
    """Is the pool to be seen from here, and would this host be known by its own hostid?"""
    problems = []
    if int(host.hostid(), 16) == 0:
        problems.append(Problem("this host has no hostid, by which a pool knows its owner",
                                "svcadm restart svc:/system/hostid, then reboot"))
    if zpool.health(host.run, p.pool) is not None:
        return [*problems, Problem(f"pool {p.pool} is imported here although its group does not run here",
                                   f"zpool export {p.pool}")]
    found = zpool.importable(host.run).get(p.pool)
    if found is None:
        problems.append(Problem(f"pool {p.pool} is on no device that this host sees",
                                "compare 'zpool import' and 'format' here with a host that sees it"))
    elif found.state not in WORKING:
        problems.append(Problem(f"pool {p.pool} would be {found.state or 'unreadable'} here: {found.status}",
                                "zpool import tells which devices are missing"))
    return problems
