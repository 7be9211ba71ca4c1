"""Start, stop, probe and preflight of each type, on hosts whose commands answer from a script."""
import os
from pathlib import Path

import pytest

from sundog.config.fields import Cidr, Command, FileName, Fmri, PoolName, ZoneName
from sundog.errors import ConfigProblem
from sundog.resource import exec as exec_
from sundog.resource import floating_ip, service, zone, zpool
from sundog.resource.terms import Condition, Permit
from sundog.solaris.run import CommandFailed
from sundog.solaris.zpool import PoolBusy, PoolInUse, PoolSuspended
from unit.scripted import host

PERMIT = Permit(4, False, "first start")
FORCED = Permit(5, True, "n1 was fenced")
POOL = zpool.Params(PoolName("tank"))
HERE = (0, "tank\tONLINE\n", "")
AWAY = (1, "", "cannot open 'tank': no such pool\n")
NOTHING = (0, "", "")


def test_a_pool_is_forced_only_by_a_permit_that_says_so() -> None:
    refused = (1, "", "cannot import 'tank': pool was previously in use from another system.\n")
    here, script = host(zpool_list=AWAY, zpool_import=refused)
    with pytest.raises(PoolInUse):
        zpool.start(here, POOL, PERMIT)
    assert script.asked[-1] == "zpool import -o cachefile=none tank"
    here, script = host(zpool_list=AWAY, zpool_import=NOTHING)
    zpool.start(here, POOL, FORCED)
    assert script.asked[-1] == "zpool import -o cachefile=none -f tank"


def test_a_pool_that_is_here_is_not_imported_again_but_mounted_whole() -> None:
    systems = ("tank\tyes\ton\toff\t/tank\ntank/a\tno\ton\toff\t/tank/a\n"
               "tank/z\tno\ton\ton\t/z\ntank/b\tno\tnoauto\toff\t/b\n")
    here, script = host(zpool_list=HERE, zfs_list=(0, systems, ""), zfs_mount=NOTHING)
    zpool.start(here, POOL, PERMIT)
    assert [line for line in script.asked if "mount" in line.split()[1]] == ["zfs mount tank/a"]
    assert not any(line.startswith("zpool import") for line in script.asked)


def test_a_suspended_pool_is_neither_started_nor_exported() -> None:
    here, script = host(zpool_list=(0, "tank\tSUSPENDED\n", ""))
    for call in (lambda: zpool.start(here, POOL, PERMIT), lambda: zpool.stop(here, POOL)):
        with pytest.raises(PoolSuspended):
            call()
    assert zpool.probe(here, POOL).condition is Condition.FAILED
    assert set(script.asked) == {"zpool list -H -o name,health tank"}


def test_a_busy_pool_is_tried_again_and_in_the_end_says_who_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zpool, "BUSY_PAUSES_S", (0.0, 0.0))
    busy = (1, "", "cannot export 'tank': pool is busy\n")
    here, script = host(zpool_list=HERE, zpool_export=[busy, NOTHING])
    zpool.stop(here, POOL)
    assert script.asked.count("zpool export tank") == 2
    here, script = host(zpool_list=HERE, zpool_export=busy, zfs_list=(0, "tank\tyes\ton\toff\t/tank\n", ""),
                        fuser=(0, " 4711 4712", "/tank: \n"))
    with pytest.raises(PoolBusy, match="/tank by processes 4711 4712"):
        zpool.stop(here, POOL)


def test_a_pool_that_is_away_is_stopped_and_offline() -> None:
    here, script = host(zpool_list=AWAY)
    zpool.stop(here, POOL)
    assert zpool.probe(here, POOL).condition is Condition.OFFLINE


def test_preflight_of_a_pool_finds_what_is_missing() -> None:
    none = (0, "", "no pools available to import\n")
    here, _ = host(zpool_list=AWAY, zpool_import=none, hostid=(0, "00000000\n", ""))
    assert len(zpool.preflight(here, POOL)) == 2
    here, _ = host(zpool_list=AWAY, zpool_import=(0, "  pool: tank\n state: ONLINE\n", ""), hostid=(0, "0abc\n", ""))
    assert zpool.preflight(here, POOL) == []
    here, _ = host(zpool_list=HERE, hostid=(0, "0abc\n", ""))
    assert "imported here although" in str(zpool.preflight(here, POOL)[0])


# ---- addresses

IP = floating_ip.Params(Cidr("10.0.0.100/24"))
OWN = "net1/v4:static:ok:192.168.7.1/24\nnet0/v4:static:ok:10.0.0.1/24\n"
NAME = "net0/" + floating_ip.label(IP.address)


def shown(state: str) -> str:
    return f"{NAME}:static:{state}:10.0.0.100/24\n"


def test_an_address_goes_to_the_interface_of_its_network_and_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floating_ip, "PAUSES_S", (0.0,))
    here, script = host(ipadm_show_addr=NOTHING)
    script.answers = {"ipadm show-addr": [(0, OWN, ""), (0, shown("tentative"), ""), (0, shown("ok"), "")],
                      "ipadm create-addr": NOTHING}
    floating_ip.start(here, IP, PERMIT)
    assert f"ipadm create-addr -t -T static -a 10.0.0.100/24 {NAME}" in script.asked
    assert script.asked[-1].startswith("ipadm show-addr")


def test_an_address_that_another_machine_holds_is_taken_away_again_and_told() -> None:
    here, script = host()
    script.answers = {"ipadm show-addr": [(0, OWN, ""), (0, shown("duplicate"), "")], "ipadm create-addr": NOTHING,
                      "ipadm delete-addr": NOTHING, "arp": (0, "10.0.0.100 (10.0.0.100) at 2:8:20:a:b:c\n", "")}
    with pytest.raises(floating_ip.AddressInUse, match="2:8:20:a:b:c"):
        floating_ip.start(here, IP, PERMIT)
    assert f"ipadm delete-addr {NAME}" in script.asked


def test_an_address_that_is_up_is_left_as_it_is() -> None:
    here, script = host()
    script.answers = {"ipadm show-addr": (0, OWN + shown("ok"), "")}
    floating_ip.start(here, IP, PERMIT)
    assert floating_ip.probe(here, IP).condition is Condition.ONLINE
    assert all(line.startswith("ipadm show-addr") for line in script.asked)


def test_an_address_that_the_host_has_of_its_own_is_refused_and_not_taken_away() -> None:
    here, script = host()
    script.answers = {"ipadm show-addr": (0, OWN + "net0/web:static:ok:10.0.0.100/24\n", "")}
    with pytest.raises(ConfigProblem, match="outside the cluster, as net0/web"):
        floating_ip.start(here, IP, PERMIT)
    floating_ip.stop(here, IP)
    assert not any("delete" in line for line in script.asked)


def test_without_an_interface_in_its_network_an_address_cannot_start() -> None:
    here, script = host()
    script.answers = {"ipadm show-addr": (0, "net1/v4:static:ok:192.168.7.1/24\nnet0/d:dhcp:tentative:?\n", "")}
    with pytest.raises(ConfigProblem, match="no interface"):
        floating_ip.start(here, IP, PERMIT)
    assert len(floating_ip.preflight(here, IP)) == 1


@pytest.mark.parametrize(("state", "problems"), [("ok", 0), ("down", 0), ("failed", 1), ("disabled", 1)])
def test_an_interface_without_an_address_is_fit_and_one_that_has_failed_is_not(state: str, problems: int) -> None:
    here, script = host()
    named = floating_ip.Params(Cidr("10.0.0.100/24"), floating_ip.Interface("net1"))
    script.answers = {"ipadm show-addr": (0, OWN, ""), "ipadm show-if": (0, f"net0:ok\nnet1:{state}\n", "")}
    assert len(floating_ip.preflight(here, named)) == problems


def test_an_interface_is_made_where_the_host_wants_it_made_first() -> None:
    here, script = host()
    made = floating_ip.Params(Cidr("10.0.0.100/24"), floating_ip.Interface("net0"))
    script.answers = {"ipadm show-addr": [(0, "", ""), (0, shown("ok"), "")], "ipadm create-ip": NOTHING,
                      "ipadm create-addr": [(1, "", "ipadm: Interface does not exist\n"), NOTHING]}
    floating_ip.start(here, made, PERMIT)
    assert script.asked[1:4] == [f"ipadm create-addr -t -T static -a 10.0.0.100/24 {NAME}", "ipadm create-ip -t net0",
                                 f"ipadm create-addr -t -T static -a 10.0.0.100/24 {NAME}"]


@pytest.mark.parametrize("cidr", ["10.0.0.100/24", "fd00::100/64", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/64"])
def test_the_name_of_an_address_object_is_one_that_ipadm_takes(cidr: str) -> None:
    name = floating_ip.label(Cidr(cidr))
    assert name.isalnum() and name[0].isalpha() and len(name) <= 31


# ---- zones

ZONE = zone.Params(ZoneName("web1"), FileName("zones/web1.cfg"))


def listed(state: str) -> "tuple[int, str, str]":
    return (0, f"0:global:running:/::ipkg:shared\n-:web1:{state}:/shop/web1:u:sparse:shared\n", "")


@pytest.fixture
def carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(zone, "CARRIED", str(tmp_path / "files"))
    monkeypatch.setattr(zone, "CONFIGURED", str(tmp_path / "zones"))
    file = tmp_path / "files/zones/web1.cfg"
    file.parent.mkdir(parents=True)
    file.write_text("create -b\nset zonepath=/shop/web1\nset autoboot=false\n")
    return file


def test_a_zone_is_configured_attached_and_booted_and_known_the_next_time(carried: Path) -> None:
    here, script = host(zoneadm_list=(0, "", ""), zonecfg=NOTHING, zoneadm_attach=NOTHING)
    script.answers.update({"zoneadm -z": NOTHING, "zoneadm list": (0, "", "")})
    zone.start(here, ZONE, PERMIT)
    assert script.asked[1:] == [f"zonecfg -z web1 -f {carried}", "zoneadm -z web1 attach", "zoneadm -z web1 boot"]
    script.answers["zoneadm list"] = listed("configured")
    script.asked.clear()
    zone.start(here, ZONE, PERMIT)
    assert script.asked[1:] == ["zoneadm -z web1 attach", "zoneadm -z web1 boot"]
    carried.write_text("create -b\nset zonepath=/shop/web1\nset autoboot=false\nset limitpriv=default\n")
    script.asked.clear()
    zone.start(here, ZONE, PERMIT)
    assert script.asked[1:3] == ["zonecfg -z web1 delete -F", f"zonecfg -z web1 -f {carried}"]


def test_half_a_configuration_is_taken_away_again(carried: Path) -> None:
    here, script = host()
    script.answers = {"zoneadm list": [(0, "", ""), listed("configured")],
                      "zonecfg -z web1 -f": (1, "", "On line 3 of web1.cfg: Invalid property\n"),
                      "zonecfg -z web1 delete": NOTHING}
    with pytest.raises(CommandFailed, match="line 3"):
        zone.start(here, ZONE, PERMIT)
    assert script.asked[-1] == "zonecfg -z web1 delete -F"
    assert not Path(zone.CONFIGURED, "web1").exists()


def test_a_zone_that_the_host_would_boot_by_itself_is_refused(carried: Path) -> None:
    carried.write_text("create -b\nset autoboot = true\n")
    here, script = host(zoneadm_list=(0, "", ""))
    with pytest.raises(ConfigProblem, match="autoboot=true"):
        zone.start(here, ZONE, PERMIT)
    assert "autoboot=true" in str(zone.preflight(here, ZONE)[0])


def test_a_zone_that_was_never_installed_says_how_to(carried: Path, tmp_path: Path) -> None:
    here, script = host()
    refused = (1, "", "zone 'web1': not a valid detached zone\n")
    script.answers = {"zoneadm list": [(0, "", ""), (0, f"-:web1:configured:{tmp_path}/none:u:sparse:shared\n", "")],
                      "zonecfg": NOTHING, "zoneadm -z web1 attach": refused}
    with pytest.raises(zone.ZoneNotInstalled, match="zoneadm -z web1 install"):
        zone.start(here, ZONE, PERMIT)


def test_a_zone_whose_packages_lag_behind_is_updated_while_it_is_attached(carried: Path, tmp_path: Path) -> None:
    (tmp_path / "z/root").mkdir(parents=True)
    here, script = host()
    script.answers = {"zoneadm list": [(0, "", ""), (0, f"-:web1:configured:{tmp_path}/z:u:ipkg:shared\n", "")],
                      "zonecfg": NOTHING, "zoneadm -z": NOTHING,
                      "zoneadm -z web1 attach": [(1, "", "zone's packages are out of sync; use attach -u\n"), NOTHING]}
    zone.start(here, ZONE, PERMIT)
    assert script.asked[-2:] == ["zoneadm -z web1 attach -u", "zoneadm -z web1 boot"]


def test_a_zone_is_halted_when_it_does_not_shut_down_and_then_detached() -> None:
    here, script = host()
    script.answers = {"zoneadm list": listed("running"), "zoneadm -z": NOTHING,
                      "zoneadm -z web1 shutdown": (1, "", "zoneadm: zone 'web1': timed out\n")}
    zone.stop(here, ZONE)
    assert script.asked[1:] == [f"zoneadm -z web1 {word}" for word in ("shutdown", "halt", "detach")]


@pytest.mark.parametrize(("state", "condition"), [("running", Condition.ONLINE), ("installed", Condition.OFFLINE),
                                                  ("configured", Condition.OFFLINE), ("incomplete", Condition.FAILED),
                                                  ("shutting_down", Condition.UNKNOWN)])
def test_the_state_of_a_zone_is_that_of_zoneadm(state: str, condition: Condition) -> None:
    assert zone.probe(host(zoneadm_list=listed(state))[0], ZONE).condition is condition


# ---- services

HTTP = "svc:/network/http:apache24"
SERVICE = service.Params(Fmri(HTTP))


def svcs(state: str, after: str = "-") -> "tuple[int, str, str]":
    return (0, f"{state} {after} {HTTP}\n", "")


def test_a_service_is_enabled_until_the_boot_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "PAUSES_S", (0.0,))
    here, script = host(svcs=[svcs("disabled"), svcs("offline*", "online"), svcs("online")], svcadm=NOTHING)
    service.start(here, SERVICE, PERMIT)
    assert script.asked[1] == f"svcadm enable -t {HTTP}"
    script.answers["svcs"] = [svcs("online"), svcs("online*", "disabled"), svcs("disabled")]
    script.asked.clear()
    service.stop(here, SERVICE)
    assert script.asked[1] == f"svcadm disable -t {HTTP}"


def test_a_service_in_maintenance_is_a_failure() -> None:
    here, _ = host(svcs=[svcs("disabled"), svcs("maintenance")], svcadm=NOTHING)
    with pytest.raises(service.ServiceFailed, match=f"svcs -x {HTTP}"):
        service.start(here, SERVICE, PERMIT)


def test_preflight_of_a_service_refuses_one_that_the_host_starts_by_itself() -> None:
    here, script = host(svcs=svcs("online"), svcprop=(0, "true\n", ""))
    assert "svcadm disable" in str(service.preflight(here, SERVICE)[0])
    script.answers["svcprop"] = (0, "false\n", "")
    assert service.preflight(here, SERVICE) == []


# ---- commands

def test_a_command_runs_and_its_failure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_, "SHELL", "/bin/sh")
    mark = tmp_path / "mark"
    here, _ = host()
    exec_.start(here, exec_.Params(Command(f"/bin/echo up > {mark}")), PERMIT)
    assert mark.read_text() == "up\n"
    p = exec_.Params(Command("/bin/false"), Command("exit 3"), Command("exit 1"))
    with pytest.raises(exec_.CommandStatus, match="failed with status 3"):
        exec_.stop(here, p)
    assert exec_.probe(here, p).condition is Condition.OFFLINE


def test_a_start_command_that_stays_is_ended_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exec_, "SHELL", "/bin/sh")
    pid = tmp_path / "pid"
    p = exec_.Params(Command(f"echo $$ > {pid}; exec sleep 100"), timeout=exec_.Patience("300ms"))
    with pytest.raises(exec_.CommandStatus, match="end it with '&'"):
        exec_.start(host()[0], p, PERMIT)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_an_unknown_user_is_found_before_the_start() -> None:
    p = exec_.Params(Command("/bin/true"), user=exec_.User("no-such-user"))
    assert "no user no-such-user" in str(exec_.preflight(host()[0], p)[0])


def test_a_busy_pool_is_told_also_where_nobody_can_say_who_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zpool, "BUSY_PAUSES_S", ())
    here, _ = host(zpool_list=HERE, zpool_export=(1, "", "cannot export 'tank': pool is busy\n"),
                   zfs_list=(1, "", "internal error\n"))
    with pytest.raises(PoolBusy, match="by whom could not be found out"):
        zpool.stop(here, POOL)
