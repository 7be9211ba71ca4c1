"""Is this host well enough to run groups? What the probes find is told, and acted on as `protection` says.

A host that runs something resets itself once a trouble has lasted its time; one that runs nothing is not placed upon.
"""
import asyncio
from typing import Callable, Dict, List, Optional

from sundog.config.model import Probe, Protection
from sundog.daemon.probes import Check, Prober, can_have, can_start, can_write
from sundog.daemon.tasks import Tasks

#: How often in its `within` a probe looks.
LOOKS = 6
ROOT_DISK = "root_disk"

Tell = Callable[[str, str, str], None]  # code, severity, text


class Trouble:
    """What one probe has found. Instants are seconds of the loop's clock."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""                  # "": it is well
        self.since = 0.0

    def found(self, began_at: float, said: str) -> bool:
        """Take what a look found that began then; says whether that is a change from well to ill or back."""
        changed = bool(said) != bool(self.text)
        if changed and said:
            self.since = began_at
        self.text = said
        return changed

    def lasts(self, now: float, within_s: float) -> bool:
        return bool(self.text) and now - self.since >= within_s


class Health:
    """`active`: does anything run here? `condemn` ends the host now. `changed`: who is placed here may change."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protection: Callable[[], Protection], folder: str, tell: Tell,
                 active: Callable[[], bool], condemn: Callable[[], None], changed: Callable[[], None]) -> None:
        self.loop, self.protection, self.tell = loop, protection, tell
        self.active, self.condemn, self.changed = active, condemn, changed
        checks: Dict[str, Check] = {
            "processes": can_start, "memory": lambda: can_have(self.protection().reserve_bytes),
            ROOT_DISK: lambda: can_write(f"{folder}/probe")}
        self.troubles = {name: Trouble(name) for name in checks}
        self._probers = {name: Prober(loop, name, check) for name, check in checks.items()}
        self._tasks = Tasks(loop, "a probe of this host")
        self._condemned = False

    def start(self) -> None:
        for name in self._probers:
            self._tasks.begin(self._watch(name))

    def close(self) -> None:
        self._tasks.cancel()
        for prober in self._probers.values():
            prober.close()

    @property
    def unfit(self) -> str:
        """Why no group should be placed here; "": nothing speaks against it."""
        return "; ".join(self.sick())

    def sick(self) -> List[str]:
        return [trouble.text for name, trouble in self.troubles.items()
                if trouble.text and self._spec(name).action != "ignore"]

    def said(self) -> Dict[str, str]:
        """Probe -> "well", or what is wrong, for the status."""
        return {name: trouble.text or "well" for name, trouble in self.troubles.items()}

    def _spec(self, name: str) -> Probe:
        spec: Probe = getattr(self.protection(), name)
        return spec

    async def _watch(self, name: str) -> None:
        while True:
            each_s = self._spec(name).within_s / LOOKS
            began_at = self.loop.time()
            if self._spec(name).action != "ignore":
                said = await self._probers[name].look(each_s)
                self._found(name, began_at, said)
            await asyncio.sleep(max(0.0, began_at + each_s - self.loop.time()))

    def _found(self, name: str, began_at: float, said: Optional[str]) -> None:
        trouble, spec = self.troubles[name], self._spec(name)
        changed = trouble.found(began_at, f"{name}: no answer from the host" if said is None else said)
        if spec.action == "reset" and trouble.lasts(self.loop.time(), spec.within_s) and self.active():
            self._end(trouble)
        elif changed:
            self._say(trouble)
            self.changed()

    def _say(self, trouble: Trouble) -> None:
        if not trouble.text:
            lasted_s = self.loop.time() - trouble.since
            self.tell("HOST-WELL", "notice", f"{trouble.name}: well again, after {lasted_s:.0f} s")
        elif trouble.name != ROOT_DISK:
            # The journal is on the root disk: whoever writes to it would hang as well.
            self.tell("HOST-SICK", "warning", trouble.text)

    def _end(self, trouble: Trouble) -> None:
        self.condemn()
        if not self._condemned and trouble.name != ROOT_DISK:
            self.tell("HOST-RESET", "error", f"{trouble.text}, for {self.loop.time() - trouble.since:.0f} s: "
                      "this host resets itself")
        self._condemned = True
