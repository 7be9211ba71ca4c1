"""The faults that fmd(8) of a node has diagnosed: one line a fault in a file that outlives a boot.

Services in maintenance are among them as long as they are, as software-diagnosis has it; nothing watches hardware:
what is wrong with it is put in from outside.
"""
from __future__ import annotations

import os
import time
from hashlib import md5

PATH = "/var/fm/fmd/faults"
FIELDS = ("uuid", "at", "code", "severity", "class", "resource", "text", "status")
SMF_CLASS = "defect.sunos.smf.svc.maintenance"
SMF_CODE = "SMF-8000-YX"


class Fault:
    """`at`: seconds of the epoch; `status`: faulty, repaired or acquitted."""

    def __init__(self, *values: str) -> None:
        (self.uuid, at, self.code, self.severity, self.kind, self.resource, self.text, self.status) = values
        self.at = float(at)

    def line(self) -> str:
        return "\t".join((self.uuid, f"{self.at:.4f}", self.code, self.severity, self.kind, self.resource, self.text,
                          self.status)) + "\n"


def uuid_of(resource: str, at: float) -> str:
    """The same for the same fault, however often it is looked at."""
    digits = md5(f"{resource} {at:.4f}".encode(), usedforsecurity=False).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def kept() -> list[Fault]:
    try:
        with open(PATH, encoding="utf-8") as file:
            return [Fault(*line.rstrip("\n").split("\t")) for line in file]
    except FileNotFoundError:
        return []


def keep(faults: list[Fault]) -> None:
    os.makedirs(os.path.dirname(PATH), exist_ok=True)
    with open(PATH + ".new", "w", encoding="utf-8") as file:
        file.writelines(fault.line() for fault in faults)
    os.replace(PATH + ".new", PATH)


def add(kind: str, code: str, severity: str, resource: str, text: str) -> Fault:
    now = time.time()
    fault = Fault(uuid_of(resource, now), str(now), code, severity, kind, resource, text, "faulty")
    keep([*kept(), fault])
    return fault


def in_maintenance(rows: list[tuple[str, float]]) -> list[Fault]:
    """The defects of services in maintenance since then."""
    return [Fault(uuid_of(fmri, at), str(at), SMF_CODE, "major", SMF_CLASS, fmri,
                  "A service failed - a start, stop or refresh method failed.", "faulty") for fmri, at in rows]
