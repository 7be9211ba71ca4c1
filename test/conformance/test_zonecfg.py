"""The configuration of zones: zonecfg and /etc/zones (zonecfg(8), zones(7))."""
from conformance.rows import both, row
from conformance.target import Target


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
