"""This node's own key on a shared disk, and the reservation by which those without one cannot write.

A key is put there only while nothing that could write runs here: so a node that was paused, and has lost its key
meanwhile, never gets it back by itself. A disk is reserved only when every node of the cluster has its key there: a
running one that has not would lose its pools.
"""
import time
from typing import Callable, FrozenSet, Mapping, NamedTuple, Optional, Sequence, Union

from sundog.fence.device import FenceFailed
from sundog.fence.scsi import clear, each, foreigner, left
from sundog.solaris.run import Run, run
from sundog.solaris.sgpersist import REGISTRANTS_ONLY, Conflict, Disk, Reservation

HELD, OPEN, BARRED, KEYLESS = "held", "open", "barred", "keyless"


class Claim(NamedTuple):
    """HELD: our key is there and the disk is reserved. OPEN: our key is there, the disk is not reserved.
    BARRED: others hold it, and we have no key and may not take one. KEYLESS: nor is it reserved."""
    state: str
    text: str = ""
    put: bool = False                   # our key was put there just now


class Claimant(NamedTuple):
    """Who claims. `members`: the nodes in the cluster, with their keys. `may`: lease, membership, nothing runs.
    `known`: disks on which this run of the daemon has its key."""
    cluster: str
    key: int
    members: Mapping[str, int]
    may: Callable[[], bool]
    known: FrozenSet[str] = frozenset()


def claim_all(paths: Sequence[str], by: Claimant, within_s: float,
              run: Run = run) -> Mapping[str, Union[Claim, FenceFailed]]:
    """Path -> what came of it, or what went wrong. Blocks for `within_s` at most."""
    until = time.monotonic() + within_s
    return dict(zip(paths, each([Disk(path, run) for path in paths], lambda disk: claim(disk, by, until), until)))


def claim(disk: Disk, by: Claimant, until: float) -> Claim:
    """Do what is to be done about one disk. Blocks until the instant `until`. Raises FenceFailed, ReservationFailed."""
    keys, held = disk.keys(left(until)), disk.reservation(left(until))
    _refuse_strangers(disk, by, keys, held)
    # A key from before may be that of another path, or of another port of this host: it is put there again.
    put = (by.key not in keys or disk.path not in by.known) and by.may()
    if put:
        disk.register(by.key, _lasting(disk, until), left(until))
        keys = disk.keys(left(until))
    elif by.key not in keys:
        return Claim(BARRED if held else KEYLESS, _lost(disk, held))
    missing = sorted(node for node, one in by.members.items() if one not in keys)
    if held is None and not missing:
        held = _reserved(disk, by, until)
    if held is None:
        return Claim(OPEN, f"disk {disk.path} is not reserved: it waits for the key of {', '.join(missing)}", put)
    return Claim(HELD, "", put)


def _lost(disk: Disk, held: Optional[Reservation]) -> str:
    how = "which is reserved for others" if held else "which is not reserved either"
    return f"this node has no key on disk {disk.path}, {how}; it gets one when nothing runs here: sundog group move"


def _lasting(disk: Disk, until: float) -> bool:
    able = disk.abilities(left(until))
    if not able.registrants_only:
        raise FenceFailed(f"disk {disk.path} has no reservations of type '{REGISTRANTS_ONLY}'",
                          "use another type of fence device for the nodes on this disk")
    return able.lasting


def _reserved(disk: Disk, by: Claimant, until: float) -> Optional[Reservation]:
    try:
        disk.reserve(by.key, left(until))
    except Conflict:
        # Another node was first: what it made is looked at like any other.
        pass
    held = disk.reservation(left(until))
    _refuse_strangers(disk, by, disk.keys(left(until)), held)
    return held


def _refuse_strangers(disk: Disk, by: Claimant, keys: FrozenSet[int], held: Optional[Reservation]) -> None:
    foreign = foreigner(by.cluster, [*keys, *([held.key] if held else [])])
    if foreign:
        raise FenceFailed(f"disk {disk.path} has key {foreign:#x}, which is no key of this cluster", clear(disk))
    if held and held.type != REGISTRANTS_ONLY:
        raise FenceFailed(f"disk {disk.path} has a reservation of another type: {held.type}", clear(disk))
