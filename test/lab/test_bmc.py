"""A node's management controller by the real tools: ipmitool over RMCP+, a watchdog that bites, Redfish by HTTPS."""
import json
from pathlib import Path
from typing import Iterator, List

import pytest

from lab.two_hosts import plan, until
from sunlab import bmc
from sunlab.lab import Lab
from sunlab.zones.registry import alive

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("bmc")]
IPMI = ["ipmitool", "-I", "lanplus", "-C", "3", "-U", "admin"]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    wanted = plan("bmc")
    for number in (1, 2):
        address = {"private": f"192.168.7.10{number}/24"}
        wanted["nodes"][f"n{number}"]["bmc"] = {"address": address, "password": "s3cret"}
    with Lab.up(wanted) as made:
        yield made


@pytest.fixture(autouse=True)
def both_on(lab: Lab) -> None:
    for node in lab.spec.nodes:
        if node not in lab.init_pids():
            lab.boot(node)
        lab.wait_booted(node)


def ipmi(lab: Lab, *words: str, password: str = "s3cret", check: bool = True) -> str:
    """What n1 is told when it asks n2's controller."""
    done = lab.exec("n1", [*IPMI, "-P", password, "-H", "192.168.7.102", *words], check=check)
    return done.stdout + done.stderr


def redfish(lab: Lab, path: str, *options: str, login: str = "admin:s3cret") -> List[str]:
    """Status and body of curl's answer on n1."""
    done = lab.exec("n1", ["curl", "-sk", "-u", login, "-w", "\n%{http_code}", *options,
                           f"https://192.168.7.102{path}"])
    body, _, status = done.stdout.rpartition("\n")
    return [status, body]


def reset(lab: Lab, kind: str) -> List[str]:
    return redfish(lab, "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset", "-H", "Content-Type: application/json",
                   "-d", json.dumps({"ResetType": kind}))


def test_power_off_is_a_power_cut_and_the_controller_lives_on(lab: Lab) -> None:
    assert "System Power         : on" in ipmi(lab, "chassis", "status")
    assert "Down/Off" in ipmi(lab, "chassis", "power", "off")
    assert "n2" not in lab.init_pids()
    assert "Chassis Power is off" in ipmi(lab, "chassis", "power", "status")
    assert "Up/On" in ipmi(lab, "chassis", "power", "on")
    lab.wait_booted("n2")
    assert "Chassis Power is on" in ipmi(lab, "chassis", "power", "status")


@pytest.mark.parametrize("verb", ["reset", "cycle"])
def test_reset_and_cycle_boot_the_node_anew(lab: Lab, verb: str) -> None:
    before = lab.init_pids()["n2"]
    ipmi(lab, "chassis", "power", verb)
    until(lambda: lab.init_pids().get("n2", before) != before, "the next boot")
    lab.wait_booted("n2")


def test_soft_ends_the_node_in_order(lab: Lab) -> None:
    ipmi(lab, "chassis", "power", "soft")
    until(lambda: "n2" not in lab.init_pids(), "the node's end", 60)
    lab.boot("n2")
    lab.wait_booted("n2")


@pytest.mark.parametrize(("action", "boots"), [("reset", True), ("poweroff", False), ("cycle", True)])
def test_a_watchdog_that_is_not_stroked_acts(lab: Lab, action: str, boots: bool) -> None:
    before = lab.init_pids()["n2"]
    ipmi(lab, "mc", "watchdog", "set", "timeout=1", f"action={action}", "use=sms")
    ipmi(lab, "mc", "watchdog", "reset")
    until(lambda: lab.init_pids().get("n2") != before, "the watchdog")
    if boots:
        until(lambda: "n2" in lab.init_pids(), "the next boot")
    else:
        assert "Chassis Power is off" in ipmi(lab, "chassis", "power", "status")
    assert "Watchdog2" in ipmi(lab, "sel", "list")


def test_a_watchdog_that_is_switched_off_does_nothing(lab: Lab) -> None:
    before = lab.init_pids()["n2"]
    ipmi(lab, "mc", "watchdog", "set", "timeout=1", "action=poweroff", "use=sms")
    ipmi(lab, "mc", "watchdog", "reset")
    assert "stopped" in ipmi(lab, "mc", "watchdog", "off")
    ipmi(lab, "mc", "watchdog", "set", "timeout=1", "action=none", "use=sms", "nolog")
    assert "No action" in ipmi(lab, "mc", "watchdog", "get")
    assert lab.init_pids()["n2"] == before


def test_a_wrong_password_and_a_pulled_cable_do_nothing(lab: Lab) -> None:
    said = ipmi(lab, "chassis", "power", "off", password="guess", check=False)
    assert "Unable to establish" in said and "n2" in lab.init_pids()
    lab.unplug("n2", "bmc")
    try:
        assert "Unable to establish" in ipmi(lab, "-N", "1", "-R", "1", "chassis", "power", "off", check=False)
    finally:
        lab.plug("n2", "bmc")
    assert "n2" in lab.init_pids()
    assert "on" in ipmi(lab, "chassis", "power", "status")


def test_without_the_plug_the_controller_is_dead_too(lab: Lab) -> None:
    lab.kill("n2", plug=True)
    assert "Unable to establish" in ipmi(lab, "-N", "1", "-R", "1", "chassis", "power", "status", check=False)
    lab.boot("n2")
    assert "Chassis Power is on" in ipmi(lab, "chassis", "power", "status")


def test_redfish_tells_the_power_and_resets(lab: Lab) -> None:
    status, body = redfish(lab, "/redfish/v1/Systems")
    member = json.loads(body)["Members"][0]["@odata.id"]
    system = json.loads(redfish(lab, member)[1])
    assert (status, system["PowerState"]) == ("200", "On")
    kinds = system["Actions"]["#ComputerSystem.Reset"]["ResetType@Redfish.AllowableValues"]
    assert {"On", "ForceOff", "ForceRestart", "GracefulShutdown"} <= set(kinds)
    assert reset(lab, "ForceOff")[0] == "204"
    assert "n2" not in lab.init_pids()
    assert json.loads(redfish(lab, member)[1])["PowerState"] == "Off"
    status, body = reset(lab, "ForceRestart")
    assert status == "409" and "the node is off" in body
    assert reset(lab, "On")[0] == "204"
    lab.wait_booted("n2")
    before = lab.init_pids()["n2"]
    assert reset(lab, "ForceRestart")[0] == "204"
    assert lab.init_pids()["n2"] != before


def test_redfish_refuses_strangers_and_nonsense(lab: Lab) -> None:
    assert redfish(lab, "/redfish/v1/Systems/1", login="admin:guess")[0] == "401"
    assert redfish(lab, "/redfish/v1/", login="nobody:x")[0] == "200"
    assert redfish(lab, "/redfish/v1/Systems/2")[0] == "404"
    status, body = reset(lab, "Explode")
    assert status == "400" and "ForceRestart" in body
    assert "n2" in lab.init_pids()


def test_the_end_of_the_lab_is_the_end_of_its_controllers() -> None:
    wanted = {**plan("bmcend"), "nodes": {"n1": {"addresses": {}, "bmc": {"address": {"private": "192.168.7.101/24"}}}}}
    with Lab.up(wanted) as short:
        board = bmc.pid_of(short.places.node("n1"))
        simulators = (short.places.client_cgroup("n1.b") / "cgroup.procs").read_text().split()
        assert board and simulators
    assert not [pid for pid in (board, *simulators) if Path(f"/proc/{pid}/cmdline").exists() and alive(int(pid))]
