"""A cluster in the lab, and what an operator would look at."""
import json
import time
from typing import Any, Callable, Dict, Optional, Tuple

from sunlab.lab import Lab, LabError

COORDINATOR = "svc:/system/sundog/coordinator:default"
FAILFAST = "svc:/system/sundog/failfast:default"


class Site:
    """`group`: the one whose owner is asked for."""

    def __init__(self, lab: Lab, nodes: Tuple[str, ...], group: str = "tcp") -> None:
        self.lab, self.nodes, self.group = lab, nodes, group

    def sh(self, node: str, line: str, check: bool = True) -> str:
        """A shell command's output; without `check`, "" when it fails or the node is off."""
        try:
            return str(self.lab.exec(node, ["/bin/sh", "-c", line], check=check, timeout=20).stdout)
        except LabError:
            if check:
                raise
            return ""

    def start(self, *nodes: str) -> None:
        for node in nodes or self.nodes:
            self.sh(node, f"svcadm enable {FAILFAST} {COORDINATOR}")

    def status(self, node: str) -> Dict[str, Any]:
        text = self.sh(node, "sundog status --json", check=False)
        return dict(json.loads(text)) if text.startswith("{") else {}

    def owner(self, ask: str) -> Optional[str]:
        group = self.status(ask).get("groups", {}).get(self.group, {})
        return group.get("owner") if group.get("state") == "online" else None

    def pid(self, node: str) -> str:
        rows = self.sh(node, f"svcs -Hp {COORDINATOR}", check=False).splitlines()
        return rows[1].split()[1] if len(rows) > 1 else ""

    def state(self, node: str, fmri: str) -> str:
        return self.sh(node, f"svcs -H -o state {fmri}", check=False).strip()

    def until(self, what: str, claim: Callable[[], Any], within_s: float = 30.0) -> Any:
        """Ask until it is so; what the claim gave in the end."""
        until = time.monotonic() + within_s
        while True:
            found = claim()
            if found:
                return found
            assert time.monotonic() < until, what + "\n" + "\n".join(
                f"{node}: " + self.sh(node, f"tail -20 $(svcs -L {COORDINATOR})", check=False) for node in self.nodes)
            time.sleep(0.1)
