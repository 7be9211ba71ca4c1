"""A storm written down: which faults struck when, with what each of them drew. It can be saved, edited and run again.

The file is JSON lines: first what the world is drawn from, then one fault a line (`at`: virtual seconds).
"""
import json
from collections import deque
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, Callable, Deque, List, Optional, Sequence, Tuple, TypeVar

T = TypeVar("T")


class Void(Exception):
    """What a written fault drew is not there this time: the fault does not strike."""


@dataclass(frozen=True)
class Fault:
    """`drawn` is filled while the fault lasts. `said`: what it did, for the reader only."""
    at: float
    kind: str
    drawn: List[Any] = field(default_factory=list)
    said: str = ""


@dataclass(frozen=True)
class Script:
    """`storm_s` after `settle` the faults end and the calm begins."""
    seed: int
    profile: str
    timeout_s: float
    storm_s: float
    faults: Tuple[Fault, ...] = ()

    def save(self, path: Path) -> None:
        head = {name: value for name, value in asdict(replace(self, faults=())).items() if name != "faults"}
        lines = [head, *map(asdict, self.faults)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    @classmethod
    def load(cls, path: Path) -> "Script":
        """Raises ValueError with the line when the file is not one that `save` wrote."""
        head, faults = None, []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            try:
                if head is None:
                    head = cls(**json.loads(line))
                else:
                    faults.append(Fault(**json.loads(line)))
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}:{number}: not a line of a script: {error}") from None
        if head is None:
            raise ValueError(f"{path}: empty")
        return replace(head, faults=tuple(faults))


class Draws:
    """Random's methods, with a memory: what is drawn for a fault is kept with it, or comes from the script's fault.

    A machine or a disk is kept by its name. Draws beyond what the script has are made afresh.
    """

    def __init__(self, random: Random) -> None:
        self.free = random
        self._fault: Optional[Fault] = None
        self._script: Optional[Deque[Any]] = None

    def within(self, fault: Optional[Fault], script: Optional[Deque[Any]], call: Callable[[], T]) -> T:
        """Whatever `call` draws belongs to this fault."""
        outer = self._fault, self._script
        self._fault, self._script = fault, script
        try:
            return call()
        finally:
            self._fault, self._script = outer

    def bound(self, call: Callable[..., T]) -> Callable[..., T]:
        """`call` for later, with what it draws then belonging to the fault of now."""
        fault, script = self._fault, self._script
        return lambda *args: self.within(fault, script, lambda: call(*args))

    def pick(self, draw: Callable[[], T], known: Callable[[Any], T]) -> T:
        """Draw a value; or find again by `known` what the script has, which raises Void if it is not there."""
        try:
            value = known(self._script.popleft()) if self._script else draw()
        except (TypeError, ValueError):
            raise Void("it draws something else this time") from None
        if self._fault is not None:
            self._fault.drawn.append(plain(value))
        return value

    def choice(self, among: Sequence[T]) -> T:
        return self.pick(lambda: self.free.choice(among), lambda name: _find(name, among))

    def choices(self, among: Sequence[T], weights: Sequence[float]) -> List[T]:
        return [self.pick(lambda: self.free.choices(among, weights)[0], lambda name: _find(name, among))]

    def sample(self, among: Sequence[T], count: int) -> List[T]:
        return self.pick(lambda: self.free.sample(among, count), lambda names: [_find(name, among) for name in names])

    def random(self) -> float:
        return self.pick(lambda: round(self.free.random(), 4), float)

    def uniform(self, low: float, high: float) -> float:
        return self.pick(lambda: round(self.free.uniform(low, high), 4), float)

    def randint(self, low: int, high: int) -> int:
        return self.pick(lambda: self.free.randint(low, high), int)


def plain(value: Any) -> Any:
    """As JSON can keep it: a machine by its key, a disk by its name."""
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return getattr(value, "key", getattr(value, "name", value))


def _find(name: Any, among: Sequence[T]) -> T:
    for one in among:
        if plain(one) == name:
            return one
    raise Void(name)


def replayed(fault: Fault) -> Tuple[Fault, Deque[Any]]:
    """A fault of a script, to strike again: a fresh record, and what it is to draw."""
    return Fault(fault.at, fault.kind, [], fault.said), deque(fault.drawn)
