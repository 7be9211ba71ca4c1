"""Zones: zoneadm, zlogin and what they leave on the host (zoneadm(8), zlogin(1))."""
import re

from conformance.rows import both, illumos, row, solaris
from conformance.target import Target
from conformance.zone import Zone

# ---- zoneadm list


@both
@row("ZONEADM-LIST-01", "zoneadm(8), list")
def test_list_has_names_alone_and_running_ones_by_default(host: Target, zone: Zone) -> None:
    assert zone.name not in host.do("zoneadm list").split()
    assert zone.name in host.do("zoneadm list -i").split()
    assert host.do("zoneadm list").split()[0] == "global"
    assert "global" not in host.do("zoneadm list -cn").split()


@both
@row("ZONEADM-LIST-02", "zoneadm.c, zone_print")
def test_v_has_a_header_and_columns(host: Target, zone: Zone) -> None:
    lines = host.do("zoneadm list -cv").splitlines()
    assert lines[0].split() == ["ID", "NAME", "STATUS", "PATH", "BRAND", "IP"]
    assert next(line for line in lines if zone.name in line).split()[:4] == ["-", zone.name, "installed", zone.path]
    assert host.fails("zoneadm list -pv") == "zoneadm: list -p and -v are mutually exclusive.\n"


@illumos
@row("ZONEADM-LIST-03", "zoneadm.c, -p")
def test_p_has_seven_fields_on_illumos(host: Target, zone: Zone) -> None:
    fields = host.do("zoneadm list -cp").splitlines()[0].split(":")
    assert fields[:4] == ["0", "global", "running", "/"] and fields[4] == "" and fields[6] == "shared"
    assert len(zone.adm("list -p").rstrip("\n").split(":")) == 7


@solaris
@row("ZONEADM-LIST-04", "recorded output of 11.x")
def test_p_has_nine_fields_and_an_empty_one_on_solaris(host: Target, zone: Zone) -> None:
    assert host.do("zoneadm list -cp").splitlines()[0] == "0:global:running:/::solaris:shared:-:none:"
    assert len(zone.adm("list -p").rstrip("\n").split(":")) == 10


@both
@row("ZONEADM-LIST-05", "zoneadm(8), -p")
def test_a_colon_in_the_path_has_a_backslash(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/a:b'")
    assert f":{zone_name}:configured:{host.zones}/a\\:b:" in host.do("zoneadm list -cp")


@both
@row("ZONEADM-LIST-06", "zoneadm.c, uuid and zoneid")
def test_a_zone_has_no_id_unless_it_runs_and_no_uuid_before_it_is_installed(host: Target, zone: Zone,
                                                                            zone_name: str) -> None:
    assert zone.field(0) == "-" and re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", zone.field(4))
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}'")
    assert host.do(f"zoneadm -z {zone_name} list -p").split(":")[4] == ""
    zone.adm("boot")
    assert zone.field(0).isdigit()


@both
@row("ZONEADM-GHOST-01", "zoneadm.c, zone_get_state")
def test_a_zone_that_is_not_there_is_said(host: Target) -> None:
    assert "No such zone configured" in host.fails("zoneadm -z conf-ghost boot")


@row("ZONEADM-USAGE-01", "zoneadm(8), exit status")
def test_misuse_is_exit_2(host: Target, zone: Zone) -> None:
    host.fails("zoneadm", 2)
    zone.fails("frobnicate", 2)
    host.fails("zoneadm list -x", 2)


# ---- life


@both
@row("ZONEADM-LIFE-01", "zoneadm(8), states")
def test_installed_ready_running_and_back(host: Target, zone: Zone) -> None:
    zone.adm("ready")
    assert zone.state() == "ready"
    zone.adm("boot")
    assert zone.state() == "running"
    zone.adm("halt")
    assert zone.state() == "installed"


@both
@row("ZONEADM-SAME-01", "zoneadmd.c, already halted, booted, ready")
def test_what_is_so_already_is_said_and_is_no_error(host: Target, zone: Zone) -> None:
    def said(command: str) -> str:
        found = host.run(f"zoneadm -z {zone.name} {command}")
        assert found.status == 0
        return found.out + found.err
    assert "zone is already halted" in said("halt")
    zone.adm("ready")
    assert "zone is already ready" in said("ready")
    zone.adm("boot")
    assert "zone is already booted" in said("boot")


@both
@row("ZONEADM-ERROR-01", "zoneadm.c, sanity_check")
def test_a_configured_zone_must_be_installed_before_it_boots(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}'")
    assert "must be installed before boot." in host.fails(f"zoneadm -z {zone_name} boot")
    assert "is already in state 'configured'." in host.fails(f"zoneadm -z {zone_name} uninstall -F")


@both
@row("ZONEADM-ERROR-02", "zoneadm.c, sanity_check")
def test_an_installed_zone_is_not_installed_or_attached_again(host: Target, zone: Zone) -> None:
    assert "is already installed." in zone.fails("install")
    assert "is already installed." in zone.fails("attach")


@both
@row("ZONEADM-ERROR-03", "zoneadm.c, sanity_check")
def test_what_is_running_is_not_detached_uninstalled_moved_or_marked(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    for command in ("detach", "uninstall -F", f"move {zone.path}2", "mark incomplete"):
        verb = command.split()[0]
        assert f"{verb} operation is invalid for running zones." in zone.fails(command), command


@both
@row("ZONEADM-ERROR-04", "zoneadm.c, shutdown and reboot")
def test_what_does_not_run_is_neither_shut_down_nor_rebooted(host: Target, zone: Zone) -> None:
    assert "not running" in zone.fails("shutdown")
    assert "not running" in zone.fails("reboot")


@both
@row("ZONEADM-ERROR-05", "zoneadm.c, uninstall without a terminal")
def test_uninstall_without_a_terminal_needs_f(host: Target, zone: Zone) -> None:
    zone.fails("uninstall")
    assert zone.state() == "installed"


@both
@row("ZONEADM-MARK-01", "zoneadm(8), mark incomplete")
def test_an_incomplete_zone_must_be_uninstalled(host: Target, zone: Zone) -> None:
    zone.adm("mark incomplete")
    assert zone.state() == "incomplete"
    assert "zone is incomplete; uninstall required." in zone.fails("install")
    zone.adm("uninstall -F")
    assert zone.state() == "configured"
    zone.adm("install")


@both
@row("ZONEADM-BOOT-01", "zoneadm(8), boot")
def test_services_come_up_after_boot_has_returned(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    host.until(f"[ \"`svcs -z {zone.name} -Ho state milestone/multi-user-server`\" = online ]")
    assert host.do(f"svcprop -z {zone.name} -p restarter/state milestone/multi-user-server") == "online\n"


@both
@row("ZONEADM-SHUTDOWN-01", "zoneadm(8), shutdown")
def test_shutdown_ends_its_services_and_r_boots_again(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    before = zone.field(0)
    zone.adm("shutdown -r")
    assert zone.state() == "running" and zone.field(0) != before
    zone.adm("shutdown")
    assert zone.state() == "installed"


@both
@row("ZONEADM-REBOOT-01", "zoneadm(8), reboot")
def test_reboot_brings_it_back(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    zone.adm("reboot")
    assert zone.state() == "running"


# ---- detach and attach


@both
@row("ZONEADM-DETACH-01", "zoneadm(8), detach and attach")
def test_a_detached_zone_is_configured_and_attached_again(host: Target, zone: Zone) -> None:
    zone.adm("detach")
    assert zone.state() == "configured"
    zone.adm("attach")
    assert zone.state() == "installed"


@illumos
@row("ZONEADM-DETACH-02", "zoneadm.c, SUNWdetached.xml")
def test_detach_leaves_a_description_in_the_zonepath(host: Target, zone: Zone) -> None:
    zone.adm("detach")
    host.do(f"test -f {zone.path}/SUNWdetached.xml")
    zone.adm("attach")
    host.fails(f"test -f {zone.path}/SUNWdetached.xml")


@row("ZONEADM-DETACH-03", "zoneadm(8), detach -n, attach -n")
def test_a_dry_run_changes_nothing(host: Target, zone: Zone) -> None:
    text = zone.adm("detach -n")
    assert zone.state() == "installed" and "<?xml" in text
    host.put(f"/var/tmp/{zone.name}", text)
    zone.adm(f"attach -n /var/tmp/{zone.name}")
    host.do(f"rm /var/tmp/{zone.name}")


@both
@row("ZONEADM-ATTACH-01", "zoneadm(8), attach -F")
def test_f_attaches_without_checks(host: Target, zone: Zone) -> None:
    zone.adm("detach")
    zone.adm("attach -F")
    assert zone.state() == "installed"


@both
@row("ZONEADM-ATTACH-02", "brands(7), attach -u")
def test_u_is_for_the_brand(host: Target, zone: Zone) -> None:
    zone.adm("detach")
    zone.adm("attach -u")
    assert zone.state() == "installed"


# ---- zlogin and names


@both
@row("ZLOGIN-01", "zlogin(1), exit status")
def test_the_status_of_a_command_is_zlogins_own(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    assert host.do(f"zlogin {zone.name} zonename") == f"{zone.name}\n"
    host.fails(f"zlogin {zone.name} 'exit 7'", 7)
    assert host.do(f"zlogin -S {zone.name} 'echo $LOGNAME$HOME; exit 0'").endswith("/\n")


@row("ZLOGIN-02", "zlogin(1)")
def test_nobody_logs_in_to_a_zone_that_does_not_run(host: Target, zone: Zone) -> None:
    assert "login allowed only to running zones" in host.fails(f"zlogin {zone.name} true")


@both
@row("ZONENAME-01", "zonename(1)")
def test_the_global_zone_knows_its_name(host: Target) -> None:
    assert host.do("/sbin/zonename") == "global\n"


@row("ZONES-HOSTID-01", "zonecfg(8), hostid")
def test_a_zone_may_have_a_host_id_of_its_own(host: Target, zone: Zone) -> None:
    host.do(f"zonecfg -z {zone.name} set hostid=1845715f")
    zone.adm("boot")
    assert host.do(f"zlogin {zone.name} hostid") == "1845715f\n"
    zone.adm("halt")
    host.do(f"zonecfg -z {zone.name} clear hostid")
    zone.adm("boot")
    assert host.do(f"zlogin {zone.name} hostid") == host.do("hostid")


# ---- SMF and zones


@both
@row("ZONES-SMF-01", "svcadm(8), -z")
def test_services_of_a_zone_are_ruled_from_the_global_zone(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    host.until(f"[ \"`svcs -z {zone.name} -Ho state milestone/multi-user-server`\" = online ]")
    host.do(f"svcadm -z {zone.name} disable -t milestone/multi-user-server")
    host.until(f"[ \"`svcs -z {zone.name} -Ho state milestone/multi-user-server`\" = disabled ]")


@row("ZONES-SMF-02", "svcs(1), -Z")
def test_z_capital_lists_running_zones_beside_the_global_one(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    host.until(f"svcs -z {zone.name} -H milestone/multi-user")
    out = host.do("svcs -HZo zone,fmri milestone/multi-user")
    assert [line.split() for line in out.splitlines()] == [
        ["global", "svc:/milestone/multi-user:default"], [zone.name, "svc:/milestone/multi-user:default"]]


@illumos
@row("ZONES-SMF-03", "illumos svc:/system/zones")
def test_illumos_has_one_service_for_all_zones(host: Target, zone: Zone) -> None:
    host.do("svcs -H svc:/system/zones:default")
    host.fails(f"svcs -H svc:/system/zones/zone:{zone.name}")


@solaris
@row("ZONES-SMF-04", "Solaris 11.4, Zone SMF Instance Service States")
def test_solaris_has_an_instance_for_each_zone_that_boots_it(host: Target, zone: Zone) -> None:
    instance = f"svc:/system/zones/zone:{zone.name}"
    assert host.do(f"svcs -Ho state {instance}").strip() == "disabled"
    host.do(f"svcadm enable {instance}")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = online ]")
    assert zone.state() == "running"
    host.do(f"svcadm disable {instance}")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = disabled ]")
    assert zone.state() == "installed"
