"""Which authentic frames are new? Replay protection and what is known of each peer's runs. Pure: time comes in.

A run is one life of one daemon: (boot id, incarnation) with a random session. Bodies are let through only when the
frame echoes our own session, so that nothing recorded before we started can be played to us; within a run every
sequence number counts once per link.
Two hosts that use the same name have two runs side by side: both are heard, so that the core can refuse one of them.
"""
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from sundog.link.codec import FrameError
from sundog.link.frame import Frame

WINDOW = 4096
_FORGET_S = 5.0
_MOST_RUNS = 4

FIRST, NEW, AGAIN, GREET = "first", "new", "again", "greet"


@dataclass
class Run:
    boot_id: str
    incarnation: int
    session: bytes
    heard_at: float
    sources: Dict[str, Any] = field(default_factory=dict)           # link -> address it was heard from
    top: int = 0
    seen: Dict[int, Tuple[str, ...]] = field(default_factory=dict)  # sequence number -> links it came over

    def first_seen(self, seq: int, link: str) -> bool:
        """Is this number new at all? Raises FrameError when it came over this link before, or is too old to tell."""
        links = self.seen.get(seq, ())
        if seq <= self.top - WINDOW or link in links:
            raise FrameError("stale", f"sequence {seq} was there before")
        self.seen[seq] = (*links, link)
        self.top = max(self.top, seq)
        if len(self.seen) > 2 * WINDOW:
            self.seen = {number: at for number, at in self.seen.items() if number > self.top - WINDOW}
        return not links


class Gate:
    """Everything heard from the peers, by name."""

    def __init__(self, session: bytes) -> None:
        self.session = session
        self.runs: Dict[str, List[Run]] = {}

    def admit(self, now: float, link: str, source: Any, frame: Frame) -> str:
        """What to do with an authentic frame.

        NEW: deliver its body. FIRST: the same, and answer with a hello, for its sender may not know us yet. AGAIN: its
        body came over another link before. GREET: answer with a hello and deliver nothing.
        Raises FrameError("stale") for a replay and for a run that a later one of the same boot has replaced.
        """
        runs = self.runs.setdefault(frame.sender, [])
        for run in runs:
            if run.boot_id == frame.boot_id and run.incarnation > frame.incarnation:
                raise FrameError("stale", f"{frame.sender}: incarnation {frame.incarnation} is over")
        if frame.echo != self.session:
            return GREET
        run = self._run(now, frame)
        unknown = not run.seen
        first = run.first_seen(frame.seq, link)
        run.heard_at = now
        run.sources[link] = source
        if len(runs) > 1:
            self._forget(now, frame.sender, run)
        return FIRST if unknown else NEW if first else AGAIN

    def _run(self, now: float, frame: Frame) -> Run:
        runs = self.runs[frame.sender]
        for run in runs:
            if run.session == frame.session and run.boot_id == frame.boot_id and run.incarnation == frame.incarnation:
                return run
        run = Run(frame.boot_id, frame.incarnation, frame.session, now)
        runs.append(run)
        return run

    def _forget(self, now: float, sender: str, newest: Run) -> None:
        """Drop the runs that `newest` has replaced: same boot, or the same address, or silent for long."""
        def stays(run: Run) -> bool:
            moved = any(newest.sources.get(link) == address for link, address in run.sources.items())
            return run is newest or not (moved or run.boot_id == newest.boot_id or now - run.heard_at > _FORGET_S)
        self.runs[sender] = [run for run in self.runs[sender] if stays(run)][-_MOST_RUNS:]

    def known(self, name: str, boot_id: Optional[str] = None) -> List[Run]:
        """The live runs of `name`, or only the one of a certain boot."""
        return [run for run in self.runs.get(name, ()) if boot_id is None or run.boot_id == boot_id]
