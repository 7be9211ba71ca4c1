"""A guard of the core, taken out by one small change of its source."""
from dataclasses import dataclass
from typing import Iterator, Tuple


@dataclass(frozen=True)
class Mutation:
    """In lib/sundog/core/`module`.py, `old` (which stands there once) becomes `new`.

    `survives`: why a core without it breaks nothing that the simulator sees; empty: it must be found out.
    """
    module: str
    old: str
    new: str
    survives: str = ""

    @property
    def name(self) -> str:
        return f"{self.module}: {short(self.old)} -> {short(self.new)}"

    def applied(self, source: str) -> str:
        """Raises ValueError when the core has changed so that `old` is not there once."""
        if source.count(self.old) != 1:
            raise ValueError(f"core/{self.module}.py has {source.count(self.old)} of {self.old!r}")
        return source.replace(self.old, self.new)


def short(text: str) -> str:
    return " ".join(text.split()) or "nothing"


def of(module: str, *changes: Tuple[str, ...]) -> Iterator[Mutation]:
    return (Mutation(module, *change) for change in changes)
