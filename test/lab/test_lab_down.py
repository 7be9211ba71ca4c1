"""`sunlab down` leaves nothing, of a whole lab, a half-built one, or one whose tools died; labs live side by side."""
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import List, Set

import pytest

from lab.two_hosts import build, plan
from sunlab import network
from sunlab.lab import Lab, LabError, labs, take_down
from sunlab.places import Places
from sunlab.zones.registry import alive

pytestmark = [pytest.mark.lab]


def traces(name: str) -> List[str]:
    """Everything on the host that belongs to the lab of that name."""
    places = Places(name)
    found = [line for line in Path("/proc/mounts").read_text().splitlines() if f"/{name}" in line or f"-{name}" in line]
    found += [entry for entry in os.listdir("/run/netns") if entry.split(".")[0] == places.netns]
    found += [str(path) for path in (places.top, places.cgroup()) if path.exists()]
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if f"sunlab.{name}" in Path(f"/proc/{pid}/cgroup").read_text():
                found += [f"process {pid}"] if alive(int(pid)) else []
        except OSError:
            continue        # it ended meanwhile
    return found


def supplies(lab: Lab) -> Set[int]:
    return {int((lab.places.node(node) / "supply").read_text()) for node in lab.spec.nodes}


def test_down_leaves_nothing_even_of_a_busy_lab() -> None:
    lab = build("dn")
    assert len(traces(lab.spec.lab)) > 4
    lab.exec("n1", ["zpool", "create", "tank", "/dev/dsk/c0t1d0s0"])
    lab.exec("n1", ["sh", "-c", "cd /tank; sleep 1000 >/dev/null 2>&1 & setsid sleep 1000 >/dev/null 2>&1 &"])
    lab.freeze("n2")
    pids = supplies(lab)
    with lab.popen("client", ["sh", "-c", "trap '' HUP TERM; echo there; sleep 1000 & wait"], stdout=-1) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"there\n"
        lab.down()
    assert traces(lab.spec.lab) == []
    assert not any(alive(pid) for pid in pids)
    assert lab.spec.lab not in labs()


def test_down_twice_and_of_nothing_is_no_error() -> None:
    take_down("neverwas")
    assert traces("neverwas") == []


def test_a_program_that_is_told_to_end_takes_its_lab_with_it() -> None:
    facts = plan("st")
    program = f"""
import signal
from sunlab.lab import Lab
with Lab.up({facts!r}):
    print("up", flush=True)
    signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=-1, stderr=-1, text=True) as one:
        assert one.stdout is not None and one.stdout.readline() == "up\n"
        assert len(traces(facts["lab"])) > 4
        one.terminate()
        one.communicate(timeout=60)
    assert one.returncode == -signal.SIGINT and traces(facts["lab"]) == []


def test_a_lab_that_cannot_be_built_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = plan("hb")
    monkeypatch.setattr(network, "connect", lambda *words: network.run(["false"]))
    with pytest.raises(network.CommandFailed):
        Lab.up(facts)
    assert traces(facts["lab"]) == []


def test_down_clears_up_after_a_supply_that_died() -> None:
    lab = build("sd")
    for pid in supplies(lab):
        os.kill(pid, 9)
    lab.down()
    assert traces(lab.spec.lab) == []


def test_two_labs_with_the_same_hosts_and_addresses_do_not_meet() -> None:
    with build("sa") as one, build("sb") as other:
        one.exec("n1", ["touch", "/etc/mine"])
        assert other.exec("n1", ["ls", "/etc/mine"], check=False).returncode != 0
        other.kill("n2")
        assert one.exec("n1", ["ping", "-c1", "-W2", "10.0.0.2"]).returncode == 0
        assert {one.spec.lab, other.spec.lab} <= set(labs())
        with pytest.raises(LabError, match="exists already"):
            Lab.up({**plan("sa"), "lab": one.spec.lab})


def test_the_command_answers_with_the_documented_statuses(tmp_path: Path) -> None:
    sunlab = str(Path(__file__).parents[2] / "bin/sunlab")

    def status(*words: str) -> int:
        return subprocess.run([sunlab, *words], capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode

    (tmp_path / "wrong.yaml").write_text("lab: x\nnodes: {}\nnetworks: {}\npurple: 1\n")
    assert status("up", str(tmp_path / "wrong.yaml")) == 2
    assert status("--lab", "neverwas", "status") == 1
    with build("st") as lab:
        assert status("--lab", lab.spec.lab, "exec", "n1", "--", "sh", "-c", "exit 9") == 9
        assert status("--lab", lab.spec.lab, "status", "--json") == 0
        assert status("--lab", lab.spec.lab, "boot", "n1") == 1


def test_down_touches_no_lab_whose_name_begins_alike() -> None:
    with build("al") as one:
        longer = f"{one.spec.lab}-b"
        network.run(["ip", "netns", "add", Places(longer).netns])
        try:
            one.down()
            assert Places(longer).netns in os.listdir("/run/netns")
        finally:
            network.run(["ip", "netns", "del", Places(longer).netns])
