"""What the parts of a storm may count on: `Storm` puts them together and has these."""
from typing import TYPE_CHECKING, Callable, Optional, Tuple

if TYPE_CHECKING:
    from simulation.machine import Machine
    from simulation.script import Draws
    from simulation.world import World

Kind = Tuple[str, int, Callable[[], bool]]      # name, weight, the fault: it says whether there was anything to break


class Part:
    world: "World"
    random: "Draws"

    def later(self, delay_s: float, call: Callable[[], object]) -> None:
        raise NotImplementedError

    def a_while(self) -> float:
        raise NotImplementedError

    def machine(self) -> "Optional[Machine]":
        raise NotImplementedError

    def _on_a_machine(self, do: "Callable[[Machine], object]") -> bool:
        raise NotImplementedError

    def _fuse(self, machine: "Machine", blow: "Callable[[Machine], None]") -> None:
        raise NotImplementedError
