"""A disk's persistent reservations in memory, as sg_persist(8) shows them: for tests of single functions.

Rules of SPC-4, 5.13, for registrations by one path for each host. `test/data/sg_persist` has what the real one prints.
"""
from typing import Any, Dict, List, Optional, Sequence

from sundog.solaris.run import Done

TYPES = {"1": "Write Exclusive", "5": "Write Exclusive, registrants only", "7": "Write Exclusive, all registrants"}
CONFLICT, ILLEGAL, ATTENTION, NO_DEVICE = 24, 5, 6, 56


class Array:
    """`disks`: path -> host -> key; `held`: path -> who holds it, by type."""

    def __init__(self, *paths: str) -> None:
        self.disks: Dict[str, Dict[str, int]] = {path: {} for path in paths}
        self.held: Dict[str, Any] = {}
        self.types: Dict[str, str] = {}
        self.silent: List[str] = []                     # disks that cannot be opened
        self.attentions = 0                             # how often a unit attention comes first
        self.knows_abort = True
        self.lasting = False
        self.asked: List[Sequence[str]] = []

    def run_on(self, host: str) -> Any:
        def run(argv: Sequence[str], *, timeout_s: float, input: Optional[str] = None) -> Done:
            self.asked.append(argv)
            rc, out, err = self._answer(host, list(argv[1:]))
            return Done(tuple(argv), rc, out, err, False, 0.01)
        return run

    def may_write(self, host: str, path: str) -> bool:
        return path not in self.held or host in self.disks[path]

    def _answer(self, host: str, words: List[str]) -> Any:
        path = words[-1]
        options = dict(word.partition("=")[::2] for word in words[:-1])
        if path in self.silent or path not in self.disks:
            return NO_DEVICE, "", f"sg_persist: error opening file {path} (rw): No such device or address\n"
        if self.attentions:
            self.attentions -= 1
            return ATTENTION, "", "PR in (Read keys): Unit attention\n"
        return self._in(path, options) if "--in" in options else self._out(host, path, options)

    def _in(self, path: str, options: Dict[str, str]) -> Any:
        keys = list(self.disks[path].values())
        if "--read-keys" in options:
            lines = "".join(f"    {key:#x}\n" for key in keys)
            head = "there are NO registered reservation keys" if not keys else \
                "1 registered reservation key follows:" if len(keys) == 1 else \
                f"{len(keys)} registered reservation keys follow:"
            return 0, f"  PR generation=0x1, {head}\n{lines}", ""
        if "--report-capabilities" in options:
            return 0, (f"Report capabilities response:\n  Persist Through Power Loss Capable(PTPL_C): "
                       f"{int(self.lasting)}\n  Type Mask Valid(TMV): 1\n    Support indicated in Type mask:\n"
                       "      Write Exclusive, registrants only: 1\n"), ""
        if path not in self.held:
            return 0, "  PR generation=0x1, there is NO reservation held\n", ""
        key = self.disks[path].get(self.held[path], 0)
        return 0, (f"  PR generation=0x1, Reservation follows:\n    Key={key:#x}\n    scope: LU_SCOPE,  type: "
                   f"{TYPES[self.types[path]]}\n"), ""

    def _out(self, host: str, path: str, options: Dict[str, str]) -> Any:
        keys = self.disks[path]
        if "--register-ignore" in options:
            keys[host] = int(options["--param-sark"], 16)
            return 0, "", ""
        if keys.get(host) != int(options["--param-rk"], 16):
            return CONFLICT, "", "PR out: Reservation conflict\n"
        if "--reserve" in options:
            if self.held.setdefault(path, host) != host:
                return CONFLICT, "", "PR out (Reserve): Reservation conflict\n"
            self.types[path] = options["--prout-type"]
            return 0, "", ""
        return self._preempt(host, path, options)

    def _preempt(self, host: str, path: str, options: Dict[str, str]) -> Any:
        if "--preempt-abort" in options and not self.knows_abort:
            return ILLEGAL, "", "PR out (Preempt and abort): bad field in cdb or parameter list (perhaps unsupported " \
                "service action)\n"
        victim = int(options["--param-sark"], 16)
        gone = [one for one, key in self.disks[path].items() if key == victim and one != host]
        for one in gone:
            del self.disks[path][one]
        if self.held.get(path) in gone:
            self.held[path], self.types[path] = host, options["--prout-type"]
        return 0, "", ""
