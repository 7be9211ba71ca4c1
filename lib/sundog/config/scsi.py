"""Fence levels of type `scsi`: shared disks whose SCSI-3 persistent reservations keep a node's writes out.

Shapes, checks, and the keys that nodes register (SPC-4, 5.13, Reservations).
"""
import re
from binascii import crc32
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Set, Tuple

from sundog.config.fields import AbsPath, Word, quoted
from sundog.config.model import Cluster
from sundog.config.shape import Key, ListOf, Record, Report, Scalar

PREEMPT_ABORT, PREEMPT = "preempt-abort", "preempt"
#: The slice or partition at the end of a Solaris disk's name: one reservation is for all of them.
_SLICE = re.compile(r"(?<=\d)[sp]\d+$")


class Method(Word):
    """How a key is taken off a disk: PREEMPT also leaves to the disk what it has of the node's commands already."""
    allowed = (PREEMPT_ABORT, PREEMPT)


class Scsi(NamedTuple):
    """Disks from which a node is kept by taking its key off them, through sg_persist(8)."""
    disks: Tuple[str, ...]              # the same paths on every node
    cluster: str                        # its name is half of every key
    method: str = PREEMPT_ABORT


KEYS: Mapping[str, Key] = {"disks": Key(ListOf(Scalar(AbsPath), least=1), required=True),
                           "method": Key(Scalar(Method))}


def key(cluster: str, node: str) -> int:
    """The reservation key of a node: 64 bits, never 0, the same after every boot."""
    return crc32(cluster.encode()) << 32 | (crc32(node.encode()) or 1)


def is_of(cluster: str, one: int) -> bool:
    """Is this the key of a node of the cluster?"""
    return one >> 32 == crc32(cluster.encode())


def whole(path: str) -> str:
    """The disk of a slice, block or raw: what one reservation is for."""
    return _SLICE.sub("", path.rpartition("/")[2])


def disks_of(cluster: Cluster, node: str) -> Tuple[str, ...]:
    """Those on which the node's own key must be before anything starts there."""
    return tuple(dict.fromkeys(disk for level in cluster.fence.get(node, ()) if level.type == "scsi"
                               for disk in level.params.disks))


def all_disks(cluster: Cluster) -> Tuple[str, ...]:
    """Those of all nodes: whoever leads must have its key there to take another's away."""
    return tuple(dict.fromkeys(disk for node in cluster.fence for disk in disks_of(cluster, node)))


def unnamed(cluster: Cluster, node: str, disks: Sequence[str]) -> List[str]:
    """Those of a pool's disks to which the node could write though its key is taken off all that a level names.

    Each level is a proof by itself, so each must name them all; without a level of type scsi there is none to name.
    """
    named = [{whole(disk) for disk in level.params.disks} for level in cluster.fence.get(node, ())
             if level.type == "scsi"]
    return [disk for disk in disks if any(whole(disk) not in one for one in named)]


def check(top: Record, report: Report) -> None:
    """Is every disk named once, is none of them needed by who has no key yet, and is no key shared?"""
    levels = [(node, item.value) for node, found in top.record("fence").items() for item in found.value
              if item.value.value("type") == "scsi"]
    votes = _without_a_key(top)
    for node, level in levels:
        seen: Set[str] = set()
        for found in level.value("disks", ()):
            disk = whole(str(found.value))
            if disk in seen:
                report.say(found.mark, f"fence.{node}: disk {disk} is there twice", "name each disk once")
            seen.add(disk)
            if disk in votes:
                report.say(found.mark, f"fence.{node}: {found.value} is on the disk of {votes[disk]}, which every node "
                           "must be able to write to before it has a key there",
                           "keep it on a disk that no fence device of type scsi names")
    if levels:
        _check_keys(top, report)


def _without_a_key(top: Record) -> Dict[str, str]:
    """Disk -> the holder or link that is on it."""
    found: Dict[str, str] = {}
    holders, links = top.record("quorum").record("holders"), top.record("links")
    for section, records in (("quorum.holders", holders), ("links", links)):
        for name, record in records.records():
            if record.value("type") == "disk" and "device" in record:
                found.setdefault(whole(str(record.value("device"))), f"{section}.{name}")
    return found


def _check_keys(top: Record, report: Report) -> None:
    owners: Dict[int, str] = {}
    for node, mark in top.record("nodes").names.items():
        other = owners.setdefault(key("", node), node)
        if other != node:
            report.say(mark, f"nodes {other} and {node} would have the same reservation key", "call one of them "
                       f"otherwise than {quoted(node)}")


def level_of(spec: Record, cluster: str) -> Scsi:
    """The parameters of a level without errors."""
    own: Dict[str, Any] = {"method": str(spec.value("method"))} if "method" in spec else {}
    return Scsi(tuple(str(found.value) for found in spec.value("disks")), cluster, **own)


def protection(level: Scsi) -> str:
    """What a guard by reservations does and does not do, for `sundog check`."""
    said = "paused, it cannot write to these disks, but to all others: name those of all its pools"
    if level.method == PREEMPT:
        said += "; by method preempt a disk may still carry out what it had of the node's commands before"
    return said
