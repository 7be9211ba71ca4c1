"""The three that are compared, each with three hosts, one floating address and one small TCP service.

All settings that are not the packages' defaults stand here. `detect_s` is how long each waits before it believes a
silent host to be dead, by its own documentation.
"""
import json
import secrets
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

from peers import Host

from lab.chaos_site import pids
from sunlab.demo import shop
from sunlab.lab import Lab

PORT = 7000
STORE = "store.py"                      # in the run's folder, which the peers' hosts see as it is
TIMEOUT_S = 1.0
#: Three beats and the skew of (256 - priority) / 256 of a beat: 1.01 s for priority 100 (RFC 5798, 6.1).
ADVERT_S = 0.28


def wait_for(what: str, claim: Callable[[], bool], within_s: float = 60.0) -> None:
    shop.wait_for(what, claim, within_s)


class Sundog:
    name, address, hosts = "Sundog", "10.78.0.100", ("n1", "n2", "n3")
    settings = {"timing.timeout": "1s", "links": "two LANs, HMAC-SHA256", "fencing": "none; failfast on every host",
                "service": "exec and floating-ip, side by side"}

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def start(self) -> None:
        for node in self.hosts:
            self.lab.exec(node, ["svcadm", "enable", "svc:/system/sundog/failfast:default",
                                 "svc:/system/sundog/coordinator:default"])
        wait_for("Sundog's group online", lambda: "tcp" in shop.groups_online(self.lab, "n3"))

    def cut(self, host: str) -> None:
        self.lab.kill(host)

    def boot(self, host: str) -> None:
        self.lab.boot(host)
        self.lab.wait_booted(host)
        other = next(node for node in self.hosts if node != host)
        wait_for(f"{host} back in Sundog", lambda: shop.status(self.lab, other)["nodes"][host]["state"] == "up")

    def daemons(self, host: str) -> List[int]:
        return pids(self.lab, host, "sundog.daemon.")

    def close(self) -> None:
        """The lab ends them."""


class Peers:
    """What the peers have in common: their hosts."""
    hosts: "tuple[str, ...]" = ()
    programs: "tuple[str, ...]" = ()

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.store = lab, str(folder / STORE)
        self.machines = {name: self.machine(number, name) for number, name in enumerate(self.hosts, 1)}

    def machine(self, number: int, name: str) -> Host:
        raise NotImplementedError

    def cut(self, host: str) -> None:
        self.machines[host].cut()

    def daemons(self, host: str) -> List[int]:
        found = []
        for pid in self.machines[host].processes():
            try:
                program = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]
            except OSError:
                continue
            if Path(program).name.startswith(self.programs):
                found.append(pid)
        return found

    def close(self) -> None:
        for machine in self.machines.values():
            if machine.pid:
                machine.cut()


class Pacemaker(Peers):
    name, address, hosts = "Pacemaker + Corosync", "10.78.0.110", ("p1", "p2", "p3")
    programs = ("corosync", "pacemaker")
    settings = {"totem": "token 1000, token_coefficient 0, knet over two LANs, crypto_hash sha256, crypto_cipher none",
                "consensus": "1200 ms, its default and least (1.2 token)",
                "fencing": "stonith-enabled=false (in its favour)",
                "service": "ocf:heartbeat:anything and IPaddr2, colocated, not ordered, monitor 1 s, stickiness 100"}

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.key = secrets.token_hex(64)            # 128 bytes, as corosync-keygen makes at least
        super().__init__(lab, folder)

    def machine(self, number: int, name: str) -> Host:
        nodes = "".join(f"node {{\n name: {host}\n nodeid: {n}\n ring0_addr: 192.168.78.{10 + n}\n"
                        f" ring1_addr: 10.78.0.{10 + n}\n}}\n" for n, host in enumerate(self.hosts, 1))
        config = ("totem {\n version: 2\n cluster_name: peer\n transport: knet\n token: 1000\n token_coefficient: 0\n"
                  " crypto_cipher: none\n crypto_hash: sha256\n}\n"
                  f"nodelist {{\n{nodes}}}\nquorum {{\n provider: corosync_votequorum\n}}\n"
                  "logging {\n to_syslog: no\n to_stderr: no\n to_logfile: yes\n logfile: /var/log/corosync.log\n}\n")
        return Host(self.lab, name, {"/etc/corosync/corosync.conf": config, "/etc/corosync/authkey": self.key},
                    ["corosync 2>/run/corosync.out",
                     "until corosync-quorumtool -s >/dev/null 2>&1 || [ $? = 2 ]; do sleep 0.05; done",
                     "pacemakerd >/run/pacemaker.out 2>&1 </dev/null &"])

    def start(self) -> None:
        for machine in self.machines.values():
            machine.boot()
        wait_for("Pacemaker's three hosts", lambda: self.online() == 3)
        self.tell(["crm_attribute", "-n", "stonith-enabled", "-v", "false"])
        self.tell(["crm_attribute", "-t", "rsc_defaults", "-n", "resource-stickiness", "-v", "100"])
        for scope, xml in self.configuration():
            self.tell(["cibadmin", "--create", "--scope", scope, "--xml-pipe"], xml)

    def tell(self, argv: List[str], text: str = "") -> None:
        done = self.machines["p1"].run(argv, text)
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)} {text}: {done.stderr}")

    def configuration(self) -> "list[tuple[str, str]]":
        """CIB parts, in the order in which they go in."""
        def pairs(of: str, kind: str, values: Dict[str, str]) -> str:
            rows = "".join(f'<nvpair id="{of}-{key}" name="{key}" value="{value}"/>' for key, value in values.items())
            return f'<{kind} id="{of}-{kind}">{rows}</{kind}>'

        def primitive(of: str, agent: str, values: Dict[str, str]) -> str:
            monitor = f'<operations><op id="{of}-mon" name="monitor" interval="1s" timeout="10s"/></operations>'
            return (f'<primitive id="{of}" class="ocf" provider="heartbeat" type="{agent}">'
                    f'{pairs(of, "instance_attributes", values)}{monitor}</primitive>')
        return [("resources", primitive("ip", "IPaddr2", {"ip": self.address, "cidr_netmask": "24", "nic": "net0"})),
                ("resources", primitive("server", "anything", {
                    "binfile": self.store, "cmdline_options": f"{PORT} /var/tmp/store", "pidfile": "/run/store.pid"})),
                ("constraints", '<rsc_colocation id="together" rsc="server" with-rsc="ip" score="INFINITY"/>')]

    def online(self) -> int:
        """How many hosts the cluster has, as one that is up sees it."""
        for machine in self.machines.values():
            if machine.pid:
                shown = machine.run(["crm_mon", "-1", "--output-as=xml", "--include=nodes"]).stdout
                if "<nodes>" in shown:
                    return shown.count('online="true"')
        return 0

    def boot(self, host: str) -> None:
        self.machines[host].boot()
        wait_for(f"{host} back in Pacemaker", lambda: self.online() == 3)


class Keepalived(Peers):
    name, address, hosts = "keepalived", "10.78.0.120", ("k1", "k2", "k3")
    programs = ("keepalived",)
    settings = {"vrrp": f"version 3, advert_int {ADVERT_S} (3 beats and skew: 1.01 s), nopreempt, priorities 100, 90, "
                        "80",
                "links": "one LAN, no authentication (VRRPv3 has none)", "fencing": "none, and no quorum",
                "service": "runs on every host all the time; only the address moves (in its favour)"}

    def machine(self, number: int, name: str) -> Host:
        config = ("global_defs {\n vrrp_version 3\n}\nvrrp_instance peer {\n state BACKUP\n interface net0\n"
                  f" virtual_router_id 78\n priority {110 - 10 * number}\n advert_int {ADVERT_S}\n nopreempt\n"
                  f" virtual_ipaddress {{\n  {self.address}/24\n }}\n}}\n")
        return Host(self.lab, name, {"/run/keepalived.conf": config},
                    [f"{self.store} {PORT} /var/tmp/store &",
                     "keepalived -n -l -f /run/keepalived.conf >/run/keepalived.out 2>&1 &"])

    def start(self) -> None:
        for machine in self.machines.values():
            machine.boot()

    def boot(self, host: str) -> None:
        self.machines[host].boot()
        time.sleep(3)                   # it says nothing of being ready; three beats are enough


def everyone(lab: Lab, folder: Path) -> List[Any]:
    return [Sundog(lab), Pacemaker(lab, folder), Keepalived(lab, folder)]


def lay_out(folder: Path) -> Path:
    """The lab of all three: the plain bench's hosts, and the peers' as clients of the same switches."""
    import yaml
    plain = Path(__file__).parents[1] / "plain"
    (folder / "cluster.yaml").write_text((plain / "cluster.yaml").read_text())
    (folder / STORE).write_text((shop.PARTS / STORE).read_text())
    (folder / STORE).chmod(0o755)
    shop.write_key(folder)
    lab = yaml.safe_load((plain / "lab.yaml").read_text())
    for offset, hosts in ((10, Pacemaker.hosts), (20, Keepalived.hosts)):
        for number, host in enumerate(hosts, 1):
            lab["clients"][host] = {"addresses": {"public": f"10.78.0.{offset + number}/24",
                                                  "private": f"192.168.78.{offset + number}/24"}}
    (folder / "lab.yaml").write_text(json.dumps(lab))
    return folder / "lab.yaml"
