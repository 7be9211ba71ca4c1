"""The configuration of zones: zonecfg and /etc/zones (zonecfg(8), zones(7))."""
from conformance.rows import both, illumos, row, solaris
from conformance.target import Target
from conformance.zone import Zone


@both
@row("ZONECFG-USAGE-01", "zonecfg(8), exit status")
def test_a_usage_error_is_exit_2(host: Target) -> None:
    host.fails("zonecfg", 2)
    host.fails("zonecfg -q", 2)


@both
@row("ZONECFG-GHOST-01", "zonecfg.c, no such zone")
def test_a_zone_that_is_not_configured_is_said_with_exit_1(host: Target) -> None:
    assert host.fails("zonecfg -z conf-ghost info") == "conf-ghost: No such zone configured\n"


@both
@row("ZONECFG-LIFE-01", "zonecfg(8), create, export, delete -F")
def test_a_configuration_is_made_exported_and_deleted(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}; set autoboot=false'")
    text = host.do(f"zonecfg -z {zone_name} export")
    assert text.startswith("create -b\n") and f"set zonepath={host.zones}/{zone_name}\n" in text
    assert f":{zone_name}:configured:{host.zones}/{zone_name}:" in host.do("zoneadm list -cp")
    host.do(f"zonecfg -z {zone_name} delete -F")
    host.fails(f"zonecfg -z {zone_name} info")


@both
@row("ZONECFG-EXPORT-01", "zonecfg(8), export and -f")
def test_what_is_exported_configures_a_zone_of_the_same_kind(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}; set hostid=1845715f; add attr; "
            "set name=owner; set type=string; set value=\"one; two\"; end'")
    text = host.do(f"zonecfg -z {zone_name} export")
    host.do(f"zonecfg -z {zone_name} delete -F")
    host.put(f"/var/tmp/{zone_name}", text)
    host.do(f"zonecfg -z {zone_name} -f /var/tmp/{zone_name}; rm /var/tmp/{zone_name}")
    assert host.do(f"zonecfg -z {zone_name} export") == text and "set hostid=1845715f\n" in text


@both
@row("ZONECFG-FILE-01", "zonecfg(8), -f")
def test_an_error_in_a_file_is_exit_1(host: Target, zone_name: str) -> None:
    host.put(f"/var/tmp/{zone_name}", "create -b\nset ghost=1\n")
    host.fails(f"zonecfg -z {zone_name} -f /var/tmp/{zone_name}")
    host.do(f"rm /var/tmp/{zone_name}")


@row("ZONECFG-FILES-01", "zones(7), /etc/zones")
def test_a_zone_is_in_the_index_and_has_a_file_of_its_own(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}'")
    assert host.do(f"grep '^{zone_name}:' /etc/zones/index").startswith(
        f"{zone_name}:configured:{host.zones}/{zone_name}:")
    host.do(f"test -f /etc/zones/{zone_name}.xml")


@row("ZONECFG-INFO-01", "zonecfg(8), info")
def test_info_prints_properties_and_resources(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}; add fs; set dir=/mnt; "
            "set special=/usr; set type=lofs; end'")
    out = host.do(f"zonecfg -z {zone_name} info")
    assert f"zonepath: {host.zones}/{zone_name}\n" in out and "autoboot: false\n" in out
    assert "fs:\n\tdir: /mnt\n\tspecial: /usr\n" in out
    assert host.do(f"zonecfg -z {zone_name} info zonepath") == f"zonepath: {host.zones}/{zone_name}\n"


@both
@row("ZONECFG-BOGUS-01", "zonecfg.c, validate_zonename")
def test_a_name_that_no_zone_may_have_is_exit_2(host: Target) -> None:
    assert host.fails("zonecfg -z conf%x info", 2).startswith("conf%x: Bogus zone name\n")


@both
@row("ZONECFG-DELETE-01", "zonecfg.c, delete_func without a terminal")
def test_without_a_terminal_delete_needs_f(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}'")
    assert "delete command ignored, exiting." in host.fails(f"zonecfg -z {zone_name} delete")
    host.do(f"zonecfg -z {zone_name} info")


@both
@row("ZONECFG-DELETE-02", "libzonecfg, Z_BAD_ZONE_STATE")
def test_the_configuration_of_a_running_zone_is_not_deleted(host: Target, zone: Zone) -> None:
    zone.adm("boot")
    assert host.fails(f"zonecfg -z {zone.name} delete -F") == (
        f"{zone.name}: Zone state is invalid for the requested operation\n")
    assert zone.state() == "running"


@both
@row("ZONECFG-PATH-01", "zonecfg.c, set zonepath of an installed zone")
def test_an_installed_zone_keeps_its_path(host: Target, zone: Zone) -> None:
    assert f"Zone {zone.name} already installed; set zonepath not allowed." in host.run(
        f"zonecfg -z {zone.name} set zonepath=/elsewhere").err
    assert zone.field(3) == zone.path


@both
@row("ZONECFG-EXPORT-02", "zonecfg(8), export -f")
def test_export_writes_a_file_too(host: Target, zone: Zone) -> None:
    file = f"/var/tmp/{zone.name}.cfg"
    host.do(f"zonecfg -z {zone.name} export -f {file}")
    assert host.do(f"cat {file}; rm {file}") == host.do(f"zonecfg -z {zone.name} export")


@both
@row("ZONECFG-EXPORT-03", "zonecfg(8), export to another host")
def test_what_one_host_exports_configures_the_zone_on_another(host: Target, zone_name: str) -> None:
    other = host.second()
    if other is None:
        return
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}; add attr; set name=a; "
            "set type=string; set value=b; end'")
    text = host.do(f"zonecfg -z {zone_name} export")
    other.do(f"zonecfg -z {zone_name} -f -", text)
    try:
        assert other.do(f"zonecfg -z {zone_name} export") == text
        assert f":{zone_name}:configured:" in other.do("zoneadm list -cp")
    finally:
        other.do(f"zonecfg -z {zone_name} delete -F")


@both
@row("ZONECFG-STDIN-01", "zonecfg(8), commands from standard input")
def test_commands_come_from_standard_input_too(host: Target, zone_name: str) -> None:
    host.run(f"zonecfg -z {zone_name}", f"create -b\nset zonepath={host.zones}/{zone_name}\ncommit\nexit\n")
    assert f"set zonepath={host.zones}/{zone_name}\n" in host.do(f"zonecfg -z {zone_name} export")


@illumos
@row("ZONECFG-VERIFY-01", "zonecfg.c, verify_func")
def test_a_zone_without_a_path_is_not_saved(host: Target, zone_name: str) -> None:
    said = host.fails(f"zonecfg -z {zone_name} 'create -b; set zonepath='")
    assert said and host.run(f"zonecfg -z {zone_name} info").status == 1


@both
@row("ZONECFG-VERIFY-02", "zonecfg.c, verify of a shared-IP net")
def test_an_address_is_wanted_of_a_shared_interface(host: Target, zone_name: str) -> None:
    said = host.fails(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}; "
                      "set ip-type=shared; add net; set physical=net0; end'")
    assert "address not specified" in said


@both
@row("ZONECFG-VALUE-01", "zonecfg.c, autoboot")
def test_autoboot_is_true_or_false(host: Target, zone_name: str) -> None:
    said = host.fails(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}; set autoboot=maybe'")
    assert "autoboot value must be 'true' or 'false'." in said


@both
@row("ZONECFG-INDEX-01", "getzoneent.c, /etc/zones/index")
def test_the_index_has_the_state_and_the_uuid_of_an_installed_zone(host: Target, zone: Zone) -> None:
    line = host.do(f"grep '^{zone.name}:' /etc/zones/index").rstrip("\n")
    assert line == f"{zone.name}:installed:{zone.path}:{zone.field(4)}"


@both
@row("ZONECFG-INDEX-02", "getzoneent.c, the global zone")
def test_the_global_zone_is_in_the_index(host: Target, zone: Zone) -> None:
    assert host.do("grep '^global:' /etc/zones/index").startswith("global:installed:/")


@illumos
@row("ZONECFG-ATTACH-01", "zonecfg(8), create -a")
def test_a_detached_zone_is_configured_from_what_it_left(host: Target, zone: Zone, zone_name: str) -> None:
    zone.adm("detach")
    host.do(f"zonecfg -z {zone_name} create -a {zone.path}")
    assert f"set zonepath={zone.path}\n" in host.do(f"zonecfg -z {zone_name} export")


@illumos
@row("ZONECFG-CREATE-01", "zonecfg.c, SUNWdefault")
def test_the_default_of_illumos_has_no_interface(host: Target, zone_name: str) -> None:
    assert host.do(f"zonecfg -z {zone_name} 'create; set zonepath={host.zones}/{zone_name}'") == ""
    assert "net" not in host.do(f"zonecfg -z {zone_name} export")


@solaris
@row("ZONECFG-CREATE-02", "Solaris 11.4 zonecfg(8), SYSdefault")
def test_the_default_of_solaris_has_an_automatic_interface_and_is_said(host: Target, zone_name: str) -> None:
    assert "SYSdefault" in host.do(f"zonecfg -z {zone_name} create")
    out = host.do(f"zonecfg -z {zone_name} export")
    assert "add anet\nset linkname=net0\n" in out and "set ip-type=exclusive\n" in out


@solaris
@row("ZONECFG-PRIORITY-01", "Solaris 11.4, Zones Boot Ordering")
def test_solaris_knows_boot_priorities_and_smf_dependencies(host: Target, zone_name: str) -> None:
    host.do(f"zonecfg -z {zone_name} 'create -b; set zonepath={host.zones}/{zone_name}; set boot-priority=high; "
            "add smf-dependency; set fmri=svc:/milestone/network:default; set grouping=require_any; end'")
    assert "boot-priority: high\n" in host.do(f"zonecfg -z {zone_name} info boot-priority")
    assert "svc:/milestone/network:default" in host.do(f"zonecfg -z {zone_name} info smf-dependency")
    host.fails(f"zonecfg -z {zone_name} set boot-priority=urgent")
