"""Three whole daemons on loopback addresses, each with an SMF in memory that does what it is told.

The sockets, the core, the ledger's files and failfast's protocol are real; lab tests have the rest.
"""
import asyncio
import json
import os
import socket
import threading
import time
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union

from sundog.config.model import Cluster
from sundog.core.ledger import GroupEntry
from sundog.daemon.failfast import Keeper
from sundog.daemon.host import Surroundings
from sundog.daemon.main import Paths, Run
from sundog.daemon.track import Seen
from sundog.errors import SundogError

SOURCE = """
cluster: shop
key_file: {key}
timing: {{timeout: 1s}}
nodes:
  n1: {{addresses: [127.0.{net}.1, 127.0.{more}.1]}}
  n2: {{addresses: [127.0.{net}.2, 127.0.{more}.2]}}
  n3: {{addresses: [127.0.{net}.3, 127.0.{more}.3]}}
links:
  private: {{type: lan, network: 127.0.{net}.0/24, port: {port}}}
  public: {{type: lan, network: 127.0.{more}.0/24, port: {port}}}
groups:
  web:
    nodes: [n1, n2, n3]
    resources:
      app: {{type: task, start: "{start}"}}
"""


class Task(NamedTuple):
    start: str


class Obedient(Surroundings):
    """A host whose methods ask the daemon for the permit and report to it, as sundog.method does."""

    def __init__(self, control: str, hostid: str) -> None:
        self.control, self._hostid = control, hostid
        self.now: Dict[str, Seen] = {}
        self.problems: Dict[str, str] = {}
        self.disabled: "List[Union[bool, SundogError]]" = [False]     # what SMF says when it is asked; the last stays
        self.pools_answer = threading.Event()
        self.pools_answer.set()

    def hostid(self) -> str:
        return self._hostid

    def unfit(self, cluster: Cluster, node: str, active: Tuple[str, ...]) -> Dict[str, str]:
        self.pools_answer.wait(30)
        return self.problems

    def states(self) -> Mapping[str, Seen]:
        return dict(self.now)

    def apply(self, cluster: Cluster) -> None:
        for group in cluster.groups.values():
            for fmri in (*(one.instance(group.name) for one in group.resources), group.instance):
                self.now.setdefault(fmri, Seen("disabled", False))

    def enable(self, fmris: Tuple[str, ...]) -> None:
        for fmri in fmris:
            group = fmri.rpartition(":")[2].partition(".")[0]
            permit = self._ask({"op": "permit", "fmri": fmri, "group": group, "resource": "app"})
            self.now[fmri] = Seen("online" if permit["ok"] else "maintenance", False)
            self._ask({"op": "outcome", "fmri": fmri, "group": group, "resource": "", "method": "start", **permit})

    def disable(self, fmris: Tuple[str, ...], lasting: bool) -> None:
        for fmri in reversed(fmris):
            group = fmri.rpartition(":")[2].partition(".")[0]
            self._ask({"op": "outcome", "fmri": fmri, "group": group, "resource": "", "method": "stop", "ok": True})
            self.now[fmri] = Seen("disabled", False)

    def coordinator_disabled(self) -> bool:
        said = self.disabled.pop(0) if len(self.disabled) > 1 else self.disabled[0]
        if isinstance(said, SundogError):
            raise said
        return said

    def _ask(self, request: Dict[str, Any]) -> Any:
        """As a method asks: a daemon that dies meanwhile answers nothing, which is no failure of svcadm."""
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                sock.connect(self.control)
                sock.sendall(json.dumps(request).encode() + b"\n")
                return json.loads(sock.makefile().readline() or '{"ok": false}')
            except OSError:
                return {"ok": False}


class Machine:
    """One node: its directory stays, its daemon comes and goes."""

    def __init__(self, top: str, name: str, text: str, hostid: Optional[str] = None) -> None:
        self.name = name
        self.paths = Paths(*(os.path.join(top, part) for part in ("etc", "var", "run")))
        self.paths.make()
        with open(os.path.join(self.paths.etc, "cluster.yaml"), "w") as file:
            file.write(text)
        self.smf = Obedient(os.path.join(self.paths.run, "control"), hostid or f"0000000{name[1:]}")
        self.task: "Optional[asyncio.Task[int]]" = None

    def boot(self) -> None:
        self.failfast = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.failfast.setblocking(False)
        self.failfast.bind(os.path.join(self.paths.run, "failfast"))
        self.deadline = Keeper(os.path.join(self.paths.run, "deadline"))
        asyncio.get_running_loop().add_reader(self.failfast.fileno(), self._answer)
        self.start()

    def _answer(self) -> None:
        datagram, sender = self.failfast.recvfrom(256)
        self.failfast.sendto(self.deadline.answer(datagram), sender)

    def start(self) -> None:
        run = Run(self.paths, self.smf, {"task": Task}, self.name)
        run.signals = ()
        self.run = run
        self.task = asyncio.get_running_loop().create_task(run.live())

    async def kill(self) -> None:
        """The daemon is gone without a word; what runs goes on."""
        await self.run.daemon.close()
        assert self.task is not None
        self.task.cancel()
        self.run._lock.close()

    async def power_off(self) -> None:
        await self.kill()
        self.smf.now.clear()
        asyncio.get_running_loop().remove_reader(self.failfast.fileno())
        self.failfast.close()
        for name in os.listdir(self.paths.run):
            os.unlink(os.path.join(self.paths.run, name))

    def runs(self, group: str = "web") -> bool:
        return self.smf.now.get(f"svc:/system/sundog/group:{group}", Seen("", False)).state == "online"

    async def ask(self, **request: Any) -> Any:
        while not os.path.exists(self.smf.control):
            await asyncio.sleep(0.005)
        reader, writer = await asyncio.open_unix_connection(os.path.join(self.paths.run, "control"))
        writer.write(json.dumps(request).encode() + b"\n")
        try:
            return json.loads(await asyncio.wait_for(reader.readline(), 15))
        finally:
            writer.close()


class Three:
    def __init__(self, tmp_path: Any, machines: List[Machine], text: Callable[..., str]) -> None:
        self.tmp_path, self.machines, self.text = tmp_path, machines, text

    def __getitem__(self, name: str) -> Machine:
        return next(one for one in self.machines if one.name == name)

    async def until(self, claim: Callable[[], bool], within_s: float = 10.0) -> float:
        """Wait until it is so, checked whenever a journal is written; how long it took."""
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        while not claim():
            assert loop.time() - began_at < within_s, "it did not come to that"
            await asyncio.sleep(0.005)
        return loop.time() - began_at

    def entry(self, machine: str) -> GroupEntry:
        """What the ledger of that machine has of the group, which may be nothing yet."""
        return self[machine].run.node.ledger.groups.get("web", GroupEntry())

    def owner(self, group: str = "web") -> str:
        return ",".join(one.name for one in self.machines if one.runs(group))


@asynccontextmanager
async def three(tmp_path: Any, net: int) -> AsyncIterator[Three]:
    key = tmp_path / "key"
    key.write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
    key.chmod(0o600)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def text(start: str = "/bin/true") -> str:
        return SOURCE.format(key=key, net=net, more=net + 1, port=port, start=start)
    machines = [Machine(str(tmp_path / name), name, text()) for name in ("n1", "n2", "n3")]
    try:
        for machine in machines:
            machine.boot()
        yield Three(tmp_path, machines, text)
    finally:
        for machine in machines:
            if machine.task is not None and not machine.task.done():
                await machine.kill()


def play(tmp_path: Any, net: int, scene: Callable[[Three], Any]) -> None:
    async def run() -> None:
        async with three(tmp_path, net) as cluster:
            await asyncio.wait_for(scene(cluster), 40)
    asyncio.run(run())


def test_the_group_comes_up_on_the_preferred_node_and_every_node_says_so(tmp_path):
    async def scene(cluster: Three) -> None:
        await cluster.until(lambda: cluster.owner() == "n1")
        for machine in cluster.machines:
            await cluster.until(lambda machine=machine: cluster.entry(machine.name).state == "online")
            status = (await machine.ask(op="status"))["status"]
            assert (status["groups"]["web"]["owner"], status["groups"]["web"]["state"]) == ("n1", "online")
            assert {node["state"] for node in status["nodes"].values()} == {"up"}
            assert (await machine.ask(op="explain", group="web"))["explain"]["owner"] == "n1"
        assert cluster["n1"].deadline.at is not None
        assert cluster["n2"].deadline.at is None
    play(tmp_path, 20, scene)


def test_every_node_explains_what_only_the_leader_has_heard(tmp_path):
    async def scene(cluster: Three) -> None:
        cluster["n2"].smf.problems = {"web": "data: no such\n pool"}
        await cluster.until(lambda: cluster.owner() == "n1" and cluster["n3"].run.node.leader is not None)
        leader = cluster["n3"].run.node.leader
        wanted = [{"node": "n1", "verdict": "chosen"}, {"node": "n2", "verdict": "data: no such pool"}]
        node, loop = cluster[leader].run.node, asyncio.get_running_loop()
        await cluster.until(lambda: node.explain(loop.time(), "web").candidates[1].verdict != "fits")
        for machine in cluster.machines:
            told = (await machine.ask(op="explain", group="web"))["explain"]
            assert (told["seen_by"], told["candidates"][:2]) == (leader, wanted)
    play(tmp_path, 80, scene)


def test_a_move_asked_of_any_node_is_carried_out(tmp_path):
    async def scene(cluster: Three) -> None:
        await cluster.until(lambda: cluster.owner() == "n1")
        await cluster.until(lambda: cluster.entry("n3").state == "online")
        assert (await cluster["n3"].ask(op="request", request="move", group="web", node="n2"))["ok"]
        await cluster.until(lambda: cluster.owner() == "n2")
    play(tmp_path, 30, scene)


def test_after_a_power_cut_the_group_comes_up_elsewhere_and_the_dead_node_comes_back_clean(tmp_path):
    async def scene(cluster: Three) -> None:
        await cluster.until(lambda: cluster.owner() == "n1")
        await cluster.until(lambda: cluster.entry("n2").state == "online")
        await cluster["n1"].power_off()
        await cluster.until(lambda: cluster.owner() in ("n2", "n3"))
        cluster["n1"].boot()
        await cluster.until(lambda: "n1" in cluster["n2"].run.node.ledger.members
                            and cluster["n2"].run.node.ledger.members["n1"].joined
                            and cluster["n2"].run.node.ledger.members["n1"].boot_id == cluster["n1"].run.boot.boot_id)
        assert cluster.owner() in ("n2", "n3")
    play(tmp_path, 40, scene)


def test_wall_clocks_that_are_set_on_all_nodes_move_nothing(tmp_path, monkeypatch):
    step_s, real = [0.0], time.time
    monkeypatch.setattr("sundog.daemon.loop.time.time", lambda: real() + step_s[0])

    async def scene(cluster: Three) -> None:
        await cluster.until(lambda: cluster.owner() == "n1")
        await cluster.until(lambda: cluster.entry("n1").state == "online")
        for _ in range(3):
            step_s[0] += 3600.0
            jumped_at = asyncio.get_running_loop().time()
            for machine in cluster.machines:
                journal = machine.run.journal
                await cluster.until(lambda journal=journal: sum(
                    one["code"] == "CLOCK-JUMPED" for one in journal.last(1000)) == step_s[0] / 3600)
            await cluster.until(lambda at=jumped_at: (cluster["n1"].run.node.lease_until or 0) > at + 0.8)
        assert cluster.owner() == "n1"
        assert cluster.entry("n1").epoch == 1
    play(tmp_path, 90, scene)


def test_a_daemon_that_dies_and_comes_back_adopts_what_runs(tmp_path):
    async def scene(cluster: Three) -> None:
        await cluster.until(lambda: cluster.owner() == "n1")
        await cluster.until(lambda: cluster.entry("n1").state == "online")
        await cluster["n1"].kill()
        cluster["n1"].start()
        await cluster.until(lambda: cluster["n2"].run.node.heard("n1") != {} and cluster["n1"].deadline.at is not None)
        for machine in cluster.machines:
            await cluster.until(lambda machine=machine: cluster.entry(machine.name).owner == "n1")
        assert cluster.owner() == "n1"
        assert cluster.entry("n1").epoch == 1
    play(tmp_path, 50, scene)


def test_a_new_configuration_is_in_force_on_every_node(tmp_path):
    async def scene(cluster: Three) -> None:
        await cluster.until(lambda: cluster["n2"].run.node.ledger.groups.get("web") is not None
                            and cluster.entry("n2").state == "online")
        refused = await cluster["n2"].ask(op="apply", source=cluster.text("/bin/false"), files={})
        assert (refused["ok"], "offline" in refused["remedy"]) == (False, True)
        new = cluster.text() + "  db:\n    nodes: [n2, n3]\n    resources:\n      app: {type: task, start: /bin/true}\n"
        said = await cluster["n2"].ask(op="apply", source=new, files={})
        assert said["ok"], said
        await cluster.until(lambda: cluster.owner("db") == "n2")
        for machine in cluster.machines:
            await cluster.until(lambda machine=machine: machine.run.daemon.settlement.cluster.source == new)
            with open(os.path.join(machine.paths.etc, "cluster.yaml")) as file:
                assert file.read() == new
        assert cluster.owner() == "n1"
    play(tmp_path, 60, scene)


def test_nonsense_in_an_applied_configuration_is_refused_with_its_place(tmp_path):
    async def scene(cluster: Three) -> None:
        said = await cluster["n2"].ask(op="apply", source=cluster.text().replace("groups:", "gruops:"), files={})
        assert not said["ok"]
        assert "cluster.yaml:" in said["error"]
    play(tmp_path, 70, scene)


def test_a_node_is_stopped_in_an_orderly_way_while_a_pool_hangs_and_smf_is_slow_to_answer(tmp_path):
    async def scene(cluster: Three) -> None:
        one = cluster["n1"]
        await cluster.until(lambda: cluster.owner() == "n1" and cluster.entry("n1").state == "online")
        one.smf.pools_answer.clear()
        one.smf.disabled = [SundogError("svcprop does not answer"), True]
        one.run._preflight()
        one.run._asked_to_end()
        await cluster.until(lambda: one.deadline.stop.at is not None)
        assert one.runs()
        await cluster.until(lambda: one.task.done())
        assert one.task.result() == 0 and one.deadline.at is None
        await cluster.until(lambda: cluster.owner() in ("n2", "n3"))
        one.smf.pools_answer.set()
    play(tmp_path, 100, scene)


def test_a_coordinator_that_is_only_restarted_leaves_no_deadline_for_a_shutdown(tmp_path):
    async def scene(cluster: Three) -> None:
        one = cluster["n1"]
        await cluster.until(lambda: cluster.owner() == "n1" and cluster.entry("n1").state == "online")
        one.run._asked_to_end()
        await cluster.until(lambda: one.task.done())
        await cluster.until(lambda: one.deadline.stop.at is None)
        assert one.runs() and one.deadline.lease.at is not None
    play(tmp_path, 110, scene)


def test_connections_that_cannot_be_accepted_are_told_of_and_end_nothing(tmp_path):
    async def scene(cluster: Three) -> None:
        one, loop = cluster["n1"], asyncio.get_running_loop()
        await cluster.until(lambda: cluster.owner() == "n1")
        for _ in range(3):
            one.run._crashed(loop, {"message": "socket.accept() out of system resource", "socket": None,
                                    "exception": OSError(24, "Too many open files")})
        assert not one.run.over.is_set()
        assert [entry["code"] for entry in one.run.journal.last(1000)].count("ACCEPT-FAILED") == 1
        one.run._crashed(loop, {"message": "a task of the daemon", "exception": OSError(24, "Too many open files")})
        assert one.run.over.is_set()
    play(tmp_path, 120, scene)
