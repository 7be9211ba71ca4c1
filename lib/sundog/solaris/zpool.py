"""ZFS pools through zpool(8): import, export, state. Reads both the words of OpenZFS and those of older pools."""
import re
from typing import Dict, NamedTuple, Optional, Tuple

from sundog.errors import SundogError
from sundog.solaris.run import CommandFailed, Done, Run

ZPOOL = "/usr/sbin/zpool"
LOOK_S = 60.0
#: A disk's line in the listing of a pool: its name, with or without its folder, and its state.
_DISK = re.compile(r"(?:/\S*/)?c\d+(?:t[0-9A-Fa-f]+)?d\d+(?:[sp]\d+)?\s+[A-Z]+")


class PoolInUse(SundogError):
    """The pool's label names another host as its last user, or that host is active (zpool(8), ZFS-8000-EY)."""


class PoolNotFound(SundogError):
    """No device of this host has the pool."""


class PoolBusy(SundogError):
    """A file system of the pool is in use."""


class PoolSuspended(SundogError):
    """The pool's I/O has stopped; only a reset ends that."""


class Importable(NamedTuple):
    """A pool that could be imported, as `zpool import` lists it. `disks`: those with names as Solaris gives them."""
    state: str
    status: str
    disks: Tuple[str, ...] = ()


def health(run: Run, pool: str) -> Optional[str]:
    """ONLINE, DEGRADED, FAULTED, UNAVAIL, SUSPENDED, …; None if it is not imported here. Raises CommandFailed."""
    done = run([ZPOOL, "list", "-H", "-o", "name,health", pool], timeout_s=LOOK_S)
    if done.ok:
        row = next((line.split() for line in done.out.splitlines() if line.split()[:1] == [pool]), None)
        return row[1] if row else None
    if "no such pool" in done.said or "no pools available" in done.said:
        return None
    raise CommandFailed(done)


def import_pool(run: Run, pool: str, *, force: bool, timeout_s: float) -> None:
    """Import without recording the pool in the host's cache file, so that a reboot does not import it again.

    `force` passes -f: only with proof that the previous owner cannot write any more (Permit.force).
    Raises PoolInUse, PoolNotFound, CommandFailed. That a pool is imported already is no error.
    """
    options = ["-o", "cachefile=none", *(["-f"] if force else [])]
    done = run([ZPOOL, "import", *options, pool], timeout_s=timeout_s)
    if done.ok or "already created/imported" in done.said or "already exists" in done.said:
        return
    raise refusal(pool, done, force)


def refusal(pool: str, done: Done, force: bool) -> SundogError:
    said = next((line.strip() for line in done.said.splitlines() if "cannot import" in line), done.last_line)
    if "is imported on" in done.said or "currently imported" in done.said:
        return PoolInUse(f"pool {pool} is imported on another host now",
                         f"export it there: zpool export {pool}", said)
    if "in use from other system" in done.said or "in use from another system" in done.said:
        tried = "was refused even by force" if force else "was last used by another host, which did not export it"
        return PoolInUse(f"pool {pool} {tried}", "take it through the cluster, which forces it only when that host is "
                         "known to be off: sundog group online; or export it on that host", said)
    if "no such pool" in done.said or "no pools available" in done.said:
        return PoolNotFound(f"pool {pool} is on no device that this host sees",
                            "compare 'zpool import' and 'format' here with a host that sees it", said)
    return CommandFailed(done)


def export_pool(run: Run, pool: str, *, timeout_s: float) -> None:
    """Unmount and let go of the pool. Raises PoolBusy, CommandFailed. One that is not imported is no error."""
    done = run([ZPOOL, "export", pool], timeout_s=timeout_s)
    if done.ok or "no such pool" in done.said:
        return
    if "busy" in done.said:
        raise PoolBusy(f"pool {pool} cannot be exported: a file system of it is in use",
                       f"'fuser -c MOUNTPOINT' names the processes; 'zfs list -r {pool}' the mount points",
                       done.last_line)
    raise CommandFailed(done)


def importable(run: Run) -> Dict[str, Importable]:
    """Name -> what `zpool import` says of each pool that it finds. Raises CommandFailed."""
    done = run([ZPOOL, "import"], timeout_s=LOOK_S)
    if not done.ok and "no pools available" not in done.said:
        raise CommandFailed(done)
    return listing(done.out)


def listing(text: str) -> Dict[str, Importable]:
    """The blocks of `zpool import`, with the keys at whatever column."""
    found: Dict[str, Importable] = {}
    pool = ""
    for line in text.splitlines():
        key, colon, value = line.strip().partition(": ")
        if key == "pool" and colon:
            pool = value.strip()
            found.setdefault(pool, Importable("", ""))
        elif pool and colon and key == "state" and not found[pool].state:
            found[pool] = found[pool]._replace(state=value.strip())
        elif pool and colon and key == "status" and not found[pool].status:
            found[pool] = found[pool]._replace(status=value.strip())
        elif pool and _DISK.match(key):
            found[pool] = found[pool]._replace(disks=(*found[pool].disks, key.split()[0].rpartition("/")[2]))
    return found
