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
    host.until(f"[ \"`svcs -Ho state {instance}`\" = disabled ]")
    host.do(f"svcadm enable {instance}")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = online ]")
    assert zone.state() == "running"
    host.do(f"svcadm disable {instance}")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = disabled ]")
    assert zone.state() == "installed"


@solaris
@row("ZONES-SMF-05", "Solaris 11.4, Administering the Zones Delegated Restarter")
def test_the_restarter_of_zones_is_named(host: Target, zone: Zone) -> None:
    instance = f"svc:/system/zones/zone:{zone.name}"
    assert instance in host.do("svcs -HR svc:/system/zones:default -o fmri").split()
    assert "svc:/system/zones:default" in host.do(f"svcs -l {instance} | grep restarter")


@solaris
@row("ZONES-SMF-06", "Solaris 11.4, How the Zones Delegated Restarter Works")
def test_detaching_takes_the_instance_and_attaching_makes_it(host: Target, zone: Zone) -> None:
    instance = f"svc:/system/zones/zone:{zone.name}"
    zone.adm("detach")
    host.fails(f"svcs -H {instance}")
    zone.adm("attach")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = disabled ]")


@solaris
@row("ZONES-SMF-07", "Solaris 11.4, Zone SMF Instance Service States: maintenance")
def test_a_disable_does_not_leave_maintenance_and_a_clear_does(host: Target, zone: Zone) -> None:
    instance = f"svc:/system/zones/zone:{zone.name}"
    host.do(f"svcadm mark maintenance {instance}")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = maintenance ]")
    host.do(f"svcadm enable {instance}; svcadm disable {instance}; svcadm refresh {instance}")
    assert host.do(f"svcs -Ho state {instance}").strip() == "maintenance"
    host.do(f"svcadm clear {instance}")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = disabled ]")


@solaris
@row("ZONES-SMF-08", "Solaris 11.4, About the Zone SMF Instance Service State")
def test_the_instance_is_as_the_zones_goals(host: Target, zone: Zone) -> None:
    instance = f"svc:/system/zones/zone:{zone.name}"
    host.do(f"svcadm enable {instance}")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = online ]")
    assert host.do(f"svcs -z {zone.name} -Ho state milestone/goals").strip() == "online"
    host.do(f"svcadm -z {zone.name} mark maintenance milestone/goals")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = maintenance ]")
    host.do(f"svcadm -z {zone.name} clear milestone/goals")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = online ]")
    host.do(f"svcadm disable {instance}")
    host.until(f"[ \"`svcs -Ho state {instance}`\" = disabled ]")


@solaris
@row("ZONES-UNAVAILABLE-01", "Solaris 11.4 zoneadm(8), mark unavailable; About the unavailable State")
def test_an_unavailable_zone_neither_boots_nor_moves_until_it_is_attached(host: Target, zone: Zone) -> None:
    zone.adm("mark unavailable")
    assert zone.state() == "unavailable" and zone.field(4) != ""
    for command in ("boot", "ready", "verify", f"move {zone.path}2"):
        zone.fails(command)
    assert zone.name not in host.do("zoneadm list").split()
    zone.adm("attach")
    assert zone.state() == "installed"


@illumos
@row("ZONES-UNAVAILABLE-02", "zoneadm.c, mark")
def test_illumos_has_no_such_state(host: Target, zone: Zone) -> None:
    zone.fails("mark unavailable", 2)


# ---- more of the life


@illumos
@row("ZONEADM-LIST-07", "zoneadm.c, zone_print: widths")
def test_the_columns_have_their_widths(host: Target, zone: Zone) -> None:
    lines = host.do("zoneadm list -cv").splitlines()
    assert lines[0].rstrip() == f"{'ID':>4} {'NAME':<16} {'STATUS':<10} {'PATH':<30} {'BRAND':<8} IP"
    mine = next(line for line in lines if f" {zone.name} " in line)
    assert mine.rstrip() == (f"{'-':>4} {zone.name:<16} {'installed':<10} {zone.path:<30} {zone.field(5):<8} "
                             f"{zone.field(6)}")


@both
@row("ZONEADM-LIST-08", "zoneadm.c, ip-type")
def test_an_exclusive_zone_is_said_to_be_so(host: Target, zone_name: str) -> None:
    for kind, shown in (("exclusive", "excl"), ("shared", "shared")):
        host.do(f"zonecfg -z {zone_name} 'create -F -b; set zonepath={host.zones}/{zone_name}; set ip-type={kind}'")
        assert host.do(f"zoneadm -z {zone_name} list -p").rstrip("\n").split(":")[6] == shown


@both
@row("ZONEADM-LIST-09", "zoneadm(8), -u")
def test_a_zone_is_found_by_its_uuid(host: Target, zone: Zone) -> None:
    assert host.do(f"zoneadm -u {zone.field(4)} list") == f"{zone.name}\n"


@both
@row("ZONEADM-LIST-10", "zoneadm.c, list of one zone")
def test_one_zone_is_listed_in_any_state_and_takes_no_i_or_c(host: Target, zone: Zone) -> None:
    assert zone.adm("list") == f"{zone.name}\n"
    zone.fails("list -c", 2)
    assert "list -p and -v are mutually exclusive." in zone.fails("list -pv")


@illumos
@row("ZONEADM-READY-01", "zoneadmd.c, Z_READY of a running zone")
def test_ready_takes_a_running_zone_back_to_ready(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    zone.adm("ready")
    assert zone.state() == "ready"


@both
@row("ZONEADM-READY-02", "zoneadm(8), boot of a ready zone")
def test_a_ready_zone_has_the_id_with_which_it_then_runs(host: Target, zone: Zone) -> None:
    zone.adm("ready")
    before = zone.field(0)
    assert before.isdigit()
    zone.adm("boot")
    assert (zone.state(), zone.field(0)) == ("running", before)


@illumos
@row("ZONEADM-READY-03", "zoneadmd.c, server")
def test_a_ready_zone_is_neither_shut_down_nor_rebooted(host: Target, zone: Zone) -> None:
    zone.adm("ready")
    assert f"zone '{zone.name}': shutdown operation is invalid for zones in state 'ready'" in zone.fails("shutdown")
    assert f"zone '{zone.name}': reboot operation is invalid for zones in state 'ready'" in zone.fails("reboot")


@both
@row("ZONEADM-GLOBAL-01", "zoneadm.c, sanity_check")
def test_nothing_is_done_to_the_global_zone(host: Target) -> None:
    for command in ("boot", "halt", "reboot", "detach"):
        assert f"{command} operation is invalid for the global zone." in host.fails(f"zoneadm -z global {command}")


@both
@row("ZONEADM-ERROR-06", "zoneadm.c, who is at fault")
def test_errors_name_the_zone(host: Target, zone: Zone) -> None:
    assert zone.fails("reboot") == f"zoneadm: zone '{zone.name}': not running\n"


@illumos
@row("ZONEADM-HALT-01", "zoneadmd.c, a zone that is not installed")
def test_a_configured_zone_has_nothing_to_halt(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}'")
    assert "configured" in host.fails(f"zoneadm -z {zone_name} halt")


@both
@row("ZONEADM-HALT-02", "zoneadm(8), halt")
def test_halt_kills_everything_in_the_zone(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    host.do(f"zlogin {zone.name} '/usr/bin/sleep 4711 >/dev/null 2>&1 &'")
    zone.adm("halt")
    host.fails("ps -ef -o args | grep '^[^ ]*sleep 4711'")


@both
@row("ZONEADM-VERIFY-01", "zoneadm(8), verify")
def test_verify_says_what_would_stand_against_a_boot(host: Target, zone: Zone) -> None:
    assert zone.adm("verify") == ""
    host.do(f"chmod 755 {zone.path}")
    said = zone.fails("verify")
    host.do(f"chmod 700 {zone.path}")
    assert "must not be group readable" in said


@both
@row("ZONEADM-MARK-02", "zoneadm(8), mark")
def test_mark_knows_few_states(host: Target, zone: Zone) -> None:
    zone.fails("mark", 2)
    zone.fails("mark running", 2)


@both
@row("ZONEADM-CLONE-01", "zoneadm(8), clone")
def test_a_zone_is_cloned_and_the_clone_boots(host: Target, zone: Zone, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}'")
    try:
        host.do(f"zoneadm -z {zone_name} clone {zone.name}")
        assert host.do(f"zoneadm -z {zone_name} list -p").split(":")[2] == "installed"
        host.do(f"zoneadm -z {zone_name} boot")
        assert host.do(f"zlogin {zone_name} zonename") == f"{zone_name}\n"
    finally:
        host.do(f"zoneadm -z {zone_name} halt; zoneadm -z {zone_name} uninstall -F")


@both
@row("ZONEADM-CLONE-02", "zoneadm.c, clone_func")
def test_a_clone_needs_a_source_that_is_there_and_halted(host: Target, zone: Zone, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}'")
    assert "No such zone configured" in host.fails(f"zoneadm -z {zone_name} clone conf-ghost")
    zone.adm("boot")
    assert "clone operation is invalid for running zones." in host.fails(f"zoneadm -z {zone_name} clone {zone.name}")
    host.fails(f"zoneadm -z {zone_name} clone", 2)


@both
@row("ZONEADM-MOVE-01", "zoneadm(8), move")
def test_a_zone_is_moved_and_back(host: Target, zone: Zone) -> None:
    zone.adm(f"move {zone.path}-moved")
    assert zone.field(3) == f"{zone.path}-moved"
    assert f"zonepath: {zone.path}-moved\n" in host.do(f"zonecfg -z {zone.name} info zonepath")
    zone.adm(f"move {zone.path}")
    zone.adm("boot")
    assert zone.state() == "running"


# ---- boot arguments


@both
@row("ZONEADM-BOOTARGS-01", "zoneadm(8), boot -- -s")
def test_s_boots_to_single_user(host: Target, zone: Zone) -> None:
    zone.adm("boot -- -s")
    host.until(f"[ \"`svcs -z {zone.name} -Ho state milestone/single-user`\" = online ]")
    assert host.do(f"svcs -z {zone.name} -Ho state milestone/multi-user").strip() == "disabled"


@both
@row("ZONEADM-BOOTARGS-02", "zoneadm(8), boot -- -m milestone=")
def test_m_boots_to_a_milestone_this_time(host: Target, zone: Zone) -> None:
    zone.adm("boot -- -m verbose,milestone=none")
    host.until(f"[ \"`svcs -z {zone.name} -Ho state milestone/multi-user`\" = disabled ]")
    zone.adm("reboot")
    host.until(f"[ \"`svcs -z {zone.name} -Ho state milestone/multi-user-server`\" = online ]")


@both
@row("ZONEADM-BOOTARGS-03", "zonecfg(8), bootargs")
def test_the_configured_boot_arguments_hold_where_none_are_given(host: Target, zone: Zone) -> None:
    host.do(f"zonecfg -z {zone.name} 'set bootargs=\"-m milestone=single-user\"'")
    try:
        zone.adm("boot")
        host.until(f"[ \"`svcs -z {zone.name} -Ho state milestone/multi-user`\" = disabled ]")
        zone.adm("halt")
        zone.adm("boot -- -v")
        host.until(f"[ \"`svcs -z {zone.name} -Ho state milestone/multi-user-server`\" = online ]")
    finally:
        host.do(f"zonecfg -z {zone.name} clear bootargs")


@illumos
@row("ZONEADM-BOOTARGS-04", "zoneadmd.c, filter_bootargs")
def test_unknown_boot_arguments_are_warned_of_and_the_zone_boots(host: Target, zone: Zone) -> None:
    said = host.run(f"zoneadm -z {zone.name} boot -- one two")
    assert said.status == 0 and "WARNING: Unused or invalid boot arguments `one two'." in said.out + said.err
    assert zone.state() == "running"


@illumos
@row("ZONEADM-BOOTARGS-05", "zoneadmd.c, -i")
def test_an_init_that_is_not_there_fails_the_boot(host: Target, zone: Zone) -> None:
    assert "could not stat" in zone.fails("boot -- -i /sbin/conf-ghost")
    assert zone.state() == "installed"


@illumos
@row("ZONEADM-MOUNT-01", "zoneadm.c, mount and unmount")
def test_a_zone_is_mounted_and_nothing_else_is_done_to_it_then(host: Target, zone: Zone) -> None:
    assert "must be mounted before unmount." in zone.fails("unmount")
    zone.adm("mount")
    try:
        assert zone.state() == "mounted"
        host.do(f"test -d {zone.path}/lu/a/etc")
        assert "boot operation is invalid for zones in state 'mounted'" in zone.fails("boot")
        assert "detach operation is invalid for mounted zones." in zone.fails("detach")
    finally:
        zone.adm("unmount")
    assert zone.state() == "installed"


# ---- more of detach and attach


@both
@row("ZONEADM-DETACH-04", "zoneadm.c, detach with something mounted")
def test_a_zone_is_not_detached_while_something_is_mounted_below_it(host: Target, zone: Zone) -> None:
    place = f"{zone.path}/root/mnt"
    host.do(f"mount -F tmpfs swap {place}")
    try:
        said = zone.fails("detach")
    finally:
        host.do(f"umount {place}")
    assert "mounted on subdirectories of" in said and place in said
    assert zone.state() == "installed"


@both
@row("ZONEADM-DETACH-05", "zoneadm.c, detach of what is not installed")
def test_a_configured_zone_is_not_detached_again(host: Target, zone: Zone) -> None:
    zone.adm("detach")
    assert "must be installed before detach." in zone.fails("detach")


@illumos
@row("ZONEADM-ATTACH-03", "zoneadm.c, attach_func")
def test_f_and_n_exclude_one_another(host: Target, zone: Zone) -> None:
    zone.adm("detach")
    assert "-F and -n flags are mutually exclusive" in zone.fails("attach -F -n /dev/null")
    zone.adm("attach")


@illumos
@row("ZONEADM-ATTACH-04", "zoneadm.c, attach -U")
def test_capital_u_attaches_an_incomplete_zone(host: Target, zone: Zone) -> None:
    zone.adm("mark incomplete")
    assert "zone is incomplete; uninstall required." in zone.fails("attach")
    zone.adm("attach -U")
    assert zone.state() == "installed"


@both
@row("ZONEADM-ATTACH-05", "zoneadm(8), attach")
def test_a_zone_without_files_is_not_attached(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}'")
    host.fails(f"zoneadm -z {zone_name} attach")
    assert host.do(f"zoneadm -z {zone_name} list -p").split(":")[2] == "configured"


@both
@row("ZONEADM-ATTACH-06", "libzonecfg, uuid")
def test_a_zone_that_was_detached_has_no_uuid_until_it_is_attached(host: Target, zone: Zone) -> None:
    zone.adm("detach")
    assert (zone.field(0), zone.field(4)) == ("-", "")
    zone.adm("attach")
    assert zone.field(4) != ""


@both
@row("ZONEADM-UNINSTALL-01", "zoneadm(8), uninstall -F")
def test_uninstalling_takes_the_files(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}'")
    host.do(f"zoneadm -z {zone_name} install; test -d {host.zones}/{zone_name}/root/etc")
    host.do(f"zoneadm -z {zone_name} uninstall -F")
    host.fails(f"test -d {host.zones}/{zone_name}/root")
    assert host.do(f"zoneadm -z {zone_name} list -p").split(":")[2] == "configured"


# ---- in the zone


@both
@row("ZLOGIN-03", "zlogin(1), standard streams")
def test_the_streams_of_a_command_are_zlogins(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    said = host.run(f"zlogin {zone.name} 'cat; echo wrong >&2'", "through\n")
    assert (said.out, said.err) == ("through\n", "wrong\n")


@both
@row("ZLOGIN-04", "zlogin.c, zones that are not there")
def test_zlogin_knows_which_zones_there_are(host: Target) -> None:
    assert "zone 'conf-ghost' unknown" in host.fails("zlogin conf-ghost true")
    host.fails("zlogin global true")
    host.fails("zlogin", 2)


@both
@row("ZONES-INSIDE-01", "zoneadm.c, in a non-global zone")
def test_a_zone_sees_itself_and_rules_no_zone(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    assert host.do(f"zlogin {zone.name} '/usr/sbin/zoneadm list'") == f"{zone.name}\n"
    fields = host.do(f"zlogin {zone.name} '/usr/sbin/zoneadm list -p'").split(":")
    assert fields[1:4] == [zone.name, "running", "/"]
    host.fails(f"zlogin {zone.name} '/usr/sbin/zoneadm -z {zone.name} boot'")


@both
@row("ZONES-INSIDE-02", "reboot(8), halt(8) in a zone")
def test_a_zone_may_end_itself(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    host.until(f"[ \"`svcs -z {zone.name} -Ho state milestone/multi-user-server`\" = online ]")
    host.run(f"zlogin {zone.name} /usr/sbin/halt")
    host.until(f"zoneadm -z {zone.name} list -p | grep :installed:")


@illumos
@row("ZONES-AUTOBOOT-01", "illumos svc:/system/zones, method svc-zones")
def test_the_zones_service_boots_what_has_autoboot_and_shuts_all_down(lone: Target, host: Target) -> None:
    name = "conf-auto"
    lone.do(f"mkdir -p {lone.zones}; chmod 700 {lone.zones}; "
            f"zonecfg -z {name} 'create -b; set zonepath={lone.zones}/{name}; set autoboot=true'")
    try:
        lone.do(f"zoneadm -z {name} install; svcadm disable -s svc:/system/zones; svcadm enable svc:/system/zones")
        lone.until(f"zoneadm -z {name} list -p | grep :running:")
        lone.do("svcadm disable svc:/system/zones")
        lone.until("[ \"`svcs -Ho state svc:/system/zones`\" = disabled ]")
        assert lone.do(f"zoneadm -z {name} list -p").split(":")[2] == "installed"
    finally:
        lone.run(f"zoneadm -z {name} halt")
        lone.do(f"zoneadm -z {name} uninstall -F; zonecfg -z {name} delete -F")
