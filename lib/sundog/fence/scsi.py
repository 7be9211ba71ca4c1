"""Shared disks that keep a node's writes out: SCSI-3 persistent reservations, Write Exclusive - Registrants Only.

Every node has its key on every disk (claim.py). A node is barred when its key is on none of its disks, each of which is
reserved for who has one: whoever lost its key has each write refused by the disk itself, whenever it goes on.
"""
import os
import threading
import time
from typing import Callable, Dict, List, Sequence, TypeVar, Union

from sundog.config import scsi
from sundog.config.model import FenceLevel
from sundog.errors import SundogError
from sundog.fence.device import OFF, ON, Device, FenceFailed, NoAnswer, no_thread
from sundog.solaris import unended
from sundog.solaris.run import Run, run
from sundog.solaris.sgpersist import REGISTRANTS_ONLY, Disk, DiskSilent, ReservationFailed, tool

T = TypeVar("T")


class ScsiDevice(Device):
    bars = True
    found, done = "has no key of it on any disk", "took its key off every disk"

    def __init__(self, level: FenceLevel, node: str, me: str, run: Run = run) -> None:
        super().__init__(level, node)
        assert isinstance(level.params, scsi.Scsi)
        self.params, self.me = level.params, me
        self.victim, self.own = scsi.key(self.params.cluster, node), scsi.key(self.params.cluster, me)
        self.disks = [Disk(path, run) for path in self.params.disks]

    def ready(self) -> None:
        _translated(tool)
        away = [path for path in self.params.disks if not os.path.exists(path)]
        if away:
            raise FenceFailed(f"disk {', '.join(away)} is not on this host", "list its disks: format")

    def status(self, patience_s: float) -> str:
        """ON: its key is on a disk. OFF: on none, and all are reserved for keys of this cluster, ours among them."""
        until = time.monotonic() + patience_s
        keyed = all_of(self.disks, lambda disk: self._has_key(disk, until), until)
        return ON if any(keyed) else OFF

    def off(self, patience_s: float) -> None:
        until = time.monotonic() + patience_s
        all_of(self.disks, lambda disk: self._bar(disk, until), until)

    def _has_key(self, disk: Disk, until: float) -> bool:
        keys = disk.keys(left(until))
        held = disk.reservation(left(until))
        foreign = foreigner(self.params.cluster, [*keys, *([held.key] if held else [])])
        if foreign:
            raise FenceFailed(f"disk {disk.path} has key {foreign:#x}, which is no key of this cluster", clear(disk))
        if self.own not in keys:
            raise FenceFailed(f"disk {disk.path} has no key of this node, {self.me} ({self.own:#x})",
                              "it gets there when nothing runs here: sundog log tells what it waits for")
        if held is None:
            raise FenceFailed(f"disk {disk.path} is not reserved: who has no key can write to it",
                              "it is reserved when every node of the cluster has its key there")
        if held.type != REGISTRANTS_ONLY:
            raise FenceFailed(f"disk {disk.path} has a reservation of another type: {held.type}", clear(disk))
        return self.victim in keys

    def _bar(self, disk: Disk, until: float) -> None:
        if self.victim in disk.keys(left(until)):
            disk.preempt(self.own, self.victim, self.params.method == scsi.PREEMPT_ABORT, left(until))


def foreigner(cluster: str, keys: Sequence[int]) -> int:
    """A key that no node of the cluster has; 0 if there is none. Where all may write a reservation has no key, 0."""
    return next((one for one in keys if one and not scsi.is_of(cluster, one)), 0)


def clear(disk: Disk) -> str:
    """What an operator does about keys and reservations that should not be there."""
    return (f"if nobody else uses the disk, take all keys off it: sg_persist --out --register-ignore --param-sark=0x1 "
            f"{disk.path}, then sg_persist --out --clear --param-rk=0x1 {disk.path}")


def left(until: float) -> float:
    """Seconds until an instant of time.monotonic(). Raises NoAnswer when it has passed."""
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise NoAnswer("the disks did not answer in time", "sundog fence test")
    return left_s


def each(disks: Sequence[Disk], call: Callable[[Disk], T], until: float) -> List[Union[T, FenceFailed]]:
    """What `call` gives for each disk, or what went wrong, for all at once and by the instant `until`.

    A disk that hangs in the kernel keeps its thread, and nobody else; it is asked again when what was asked has ended.
    """
    outcomes: Dict[str, Union[T, FenceFailed]] = {
        disk.path: NoAnswer(f"disk {disk.path} did not answer in time", "check the path to it on this node: format")
        for disk in disks}

    def one(disk: Disk) -> None:
        try:
            _refuse_hanging(disk)
            outcomes[disk.path] = _translated(lambda: call(disk))
        except FenceFailed as error:
            outcomes[disk.path] = error
        except Exception as error:  # noqa: BLE001 (a defect is no silence of the disk)
            outcomes[disk.path] = _not_asked(disk, error)

    threads = []
    for disk in disks:
        thread = threading.Thread(target=one, args=(disk,), daemon=True, name="scsi")
        try:
            thread.start()
            threads.append(thread)
        except RuntimeError as error:
            outcomes[disk.path] = no_thread(error)
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()) + 0.1)
    return [outcomes[disk.path] for disk in disks]


def _refuse_hanging(disk: Disk) -> None:
    """Each process that waits for a disk stays until the disk answers: one of them is enough. Raises NoAnswer."""
    pids = unended.about(disk.path)
    if pids:
        raise NoAnswer(f"disk {disk.path} does not answer: what it was asked before was killed, and waits for it still",
                       f"check the path to it on this node: format, ps -fp {','.join(map(str, pids))}")


def _not_asked(disk: Disk, error: Exception) -> FenceFailed:
    if isinstance(error, SundogError):
        return FenceFailed(f"disk {disk.path} could not be asked: {error.what}", error.remedy, error.said)
    return FenceFailed(f"disk {disk.path} could not be asked: {type(error).__name__}: {error}", "sundog fence test")


def all_of(disks: Sequence[Disk], call: Callable[[Disk], T], until: float) -> List[T]:
    """As `each`. Raises FenceFailed, which names every disk that failed."""
    outcomes = each(disks, call, until)
    errors = [one for one in outcomes if isinstance(one, FenceFailed)]
    if errors:
        raise type(errors[0])("; ".join(one.what for one in errors), errors[0].remedy, errors[0].said)
    return [one for one in outcomes if not isinstance(one, FenceFailed)]


def _translated(call: Callable[[], T]) -> T:
    """What goes wrong with a disk is what goes wrong with the device."""
    try:
        return call()
    except DiskSilent as error:
        raise NoAnswer(error.what, error.remedy, error.said) from None
    except ReservationFailed as error:
        raise FenceFailed(error.what, error.remedy, error.said) from None
