"""What a host tells of itself, and where its commands are (uname(1), hostid(1), smf(7), filesystem(7))."""
import re

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import Target


@both
@row("HOST-UNAME-01", "uname(1)")
def test_both_systems_are_sunos_5_11(host: Target) -> None:
    assert host.do("uname -sr") == "SunOS 5.11\n"
    assert host.do("uname -n").strip() == host.do("uname -a").split()[1]


@solaris
@row("HOST-UNAME-02", "Solaris 11.4 uname(1), -v")
def test_the_version_of_solaris_begins_with_11_4(host: Target) -> None:
    assert host.do("uname -v").startswith("11.4.")


@illumos
@row("HOST-UNAME-03", "illumos uname(1), -v")
def test_the_version_of_illumos_does_not(host: Target) -> None:
    assert not host.do("uname -v").startswith("11.4")


@both
@row("HOST-HOSTID-01", "hostid(1)")
def test_the_hostid_is_eight_hexadecimal_digits(host: Target) -> None:
    assert re.fullmatch(r"[0-9a-f]{8}\n", host.do("hostid"))


@both
@row("HOST-PATHS-01", "filesystem(7)")
@pytest.mark.parametrize("path", ["/usr/sbin/svcadm", "/usr/sbin/svccfg", "/usr/sbin/zoneadm", "/usr/sbin/zonecfg",
                                  "/usr/sbin/zpool", "/usr/sbin/zfs", "/usr/sbin/ipadm", "/usr/sbin/dladm",
                                  "/usr/bin/svcs", "/usr/bin/svcprop", "/usr/bin/hostid", "/sbin/uadmin",
                                  "/sbin/ifconfig", "/sbin/zonename", "/sbin/sh", "/lib/svc/share/smf_include.sh"])
def test_commands_are_where_scripts_look_for_them(host: Target, path: str) -> None:
    host.do(f"test -r {path}")


@illumos
@row("HOST-HOSTID-02", "hostid(5), svc:/system/hostid")
def test_the_hostid_of_illumos_is_kept_in_a_file(host: Target) -> None:
    host.do("test -s /etc/hostid")


@both
@row("HOST-SERVICES-01", "smf(7), milestones")
@pytest.mark.parametrize("name", ["milestone/single-user", "milestone/multi-user", "milestone/multi-user-server",
                                  "system/svc/restarter", "system/manifest-import", "network/loopback",
                                  "network/physical", "system/filesystem/local", "system/filesystem/root"])
def test_the_services_that_others_depend_on_are_online(host: Target, name: str) -> None:
    host.until(f"svcs -Ho state {name} | grep online")


@both
@row("HOST-IMPORT-01", "svc:/system/manifest-import")
def test_restarting_manifest_import_brings_a_new_manifest(host: Target) -> None:
    name = "site/conf-imported"
    host.do("mkdir -p /lib/svc/manifest/site")
    host.put("/lib/svc/manifest/site/conf-imported.xml", (
        "<?xml version='1.0'?><!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>"
        "<service_bundle type='manifest' name='conf'><service name='site/conf-imported' type='service' version='1'>"
        "<create_default_instance enabled='true'/>"
        "<exec_method type='method' name='start' exec=':true' timeout_seconds='0'/>"
        "<exec_method type='method' name='stop' exec=':true' timeout_seconds='0'/>"
        "<property_group name='startd' type='framework'><propval name='duration' type='astring' value='transient'/>"
        "</property_group></service></service_bundle>"))
    try:
        host.fails(f"svcs -H {name}")
        host.do("svcadm restart manifest-import")
        host.until(f"svcs -Ho state {name} | grep online")
    finally:
        host.do(f"rm /lib/svc/manifest/site/conf-imported.xml; svccfg delete -f {name}")
