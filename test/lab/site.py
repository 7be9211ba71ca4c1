"""A cluster in the lab, and what an operator would look at."""
import json
import os
import time
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from sunlab.demo.shop import write_key
from sunlab.lab import Lab, LabError

COORDINATOR = "svc:/system/sundog/coordinator:default"
FAILFAST = "svc:/system/sundog/failfast:default"


def layout(folder: Path, name: str, net: int, nodes: Tuple[str, ...], quorum: str = "",
           hostids: Optional[Mapping[str, str]] = None, disks: Optional[Mapping[str, Any]] = None,
           server: str = "exec, start: /usr/bin/sleep 100000 &", files: Optional[Mapping[str, str]] = None,
           links: Tuple[str, ...] = (), serial: Tuple[Mapping[str, str], ...] = (), ipv6: bool = False) -> Path:
    """Files of a lab of such hosts, on 10.NET and 192.168.NET, with one group of a server and an address: its lab file.

    `quorum`: a section of the configuration; `links`: more lines of its links; `serial`: lines that the lab has;
    `ipv6`: the second network is fd00:NET::/64;
    `server`: type and parameters of the server; `files`: more of them, place in the node -> text. The timeout leaves a
    killed daemon on a busy machine the time to come back. The lab is named after this process, so that several run side
    by side.
    """
    stem, subnet, bits = (f"fd00:{net}::", f"fd00:{net}::/64", 64) if ipv6 \
        else (f"192.168.{net}.", f"192.168.{net}.0/24", 24)
    ends = {node: (f"10.{net}.0.{number}", f"{stem}{number}") for number, node in enumerate(nodes, 1)}
    lines = ["cluster: site", "key_file: /etc/sundog/key", "timing: {timeout: 3s}", "nodes:"]
    lines += [f"  {node}: {{addresses: [{public}, '{private}']}}" for node, (public, private) in ends.items()]
    lines += ["links:", f"  private: {{type: lan, network: '{subnet}'}}",
              f"  public:  {{type: lan, network: 10.{net}.0.0/24}}", *(f"  {link}" for link in links),
              quorum.rstrip("\n"), "groups:", "  tcp:",
              f"    nodes: [{', '.join(nodes)}]", "    resources:",
              f"      server: {{type: {server}}}",
              f"      ip:     {{type: floating-ip, address: 10.{net}.0.100/24}}", ""]
    (folder / "cluster.yaml").write_text("\n".join(lines))
    write_key(folder)
    hosts: Dict[str, Any] = {node: {"addresses": {"public": f"{public}/24", "private": f"{private}/{bits}"}}
                             for node, (public, private) in ends.items()}
    for node, hostid in (hostids or {}).items():
        hosts[node]["hostid"] = hostid
    lab = {"lab": f"{name}{os.getpid()}", "nodes": hosts, "disks": dict(disks or {}),
           "networks": {"public": {"subnet": f"10.{net}.0.0/24"}, "private": {"subnet": subnet}},
           "files": {"/etc/sundog/cluster.yaml": "cluster.yaml", "/etc/sundog/key": {"from": "key", "mode": "0600"}}}
    for number, (place, text) in enumerate((files or {}).items()):
        (folder / f"file{number}").write_text(text)
        lab["files"][place] = f"file{number}"
    if serial:
        lab["serial"] = [dict(line) for line in serial]
    # JSON is YAML too.
    (folder / "lab.yaml").write_text(json.dumps(lab))
    return folder / "lab.yaml"


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

    def start_led_by_others(self, node: str, within_s: float) -> None:
        """`node` last, so that it does not lead: who leads cannot be asked to switch itself off."""
        others = [one for one in self.nodes if one != node]
        self.start(*others)
        self.until(f"{' or '.join(others)} leads", lambda: self.status(others[0]).get("leader"), within_s)
        self.start(node)
        self.until(f"{node} has joined", lambda: self.status(node).get("lease_s"), within_s)
        self.until("the group is online", lambda: self.owner(others[0]), within_s)

    def bring(self, node: str, ask: str, within_s: float) -> None:
        """The group to `node`, by a command on `ask`."""
        self.sh(ask, f"sundog group online {self.group} --node {node}")
        self.until(f"the group is online on {node}", lambda: self.owner(ask) == node, within_s)

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

    def told(self, node: str) -> str:
        """What a node has to say of itself, when something has not come about."""
        lines = (f"tail -20 $(svcs -L {COORDINATOR})", "sundog log -n 30", "sundog status --json",
                 f"sundog explain {self.group}", "svcs -x")
        return f"---- {node}\n" + "\n".join(self.sh(node, line, check=False) for line in lines)

    def until(self, what: str, claim: Callable[[], Any], within_s: float = 30.0) -> Any:
        """Ask until it is so; what the claim gave in the end."""
        until = time.monotonic() + within_s
        while True:
            found = claim()
            if found:
                return found
            assert time.monotonic() < until, what + "\n" + "\n".join(map(self.told, self.nodes))
            time.sleep(0.1)
