"""What a host tells of itself, and where its commands are (uname(1), hostid(1), smf(7), filesystem(7))."""
import re
from typing import Callable

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import Target, daemon, fmri

Make = Callable[..., str]


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


# ---- faults and notifications


@both
@row("FMADM-FAULTY-01", "fmadm(8), faulty; software-diagnosis")
def test_a_service_in_maintenance_is_a_defect_until_it_is_repaired(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    host.do(f"svcadm mark maintenance {fmri(name)}")
    host.reaches(name, "maintenance")
    host.until("fmadm faulty -s | grep SMF-8000-")
    out = host.do("fmadm faulty -s")
    assert "TIME            EVENT-ID                              MSG-ID         SEVERITY\n" in out
    assert f"svc:///site/conf-{name}:default" in host.do("fmadm faulty")
    host.do(f"fmadm repaired {fmri(name)}")
    host.reaches(name, "online")
    assert f"conf-{name}" not in host.do("fmadm faulty")


@both
@row("FMADM-FAULTY-02", "fmadm(8), faulty")
def test_nothing_faulty_prints_nothing_and_is_no_error(host: Target) -> None:
    if "SMF-8000" not in host.run("fmadm faulty -s").out:
        assert host.run("fmadm faulty") == (0, "", "")


@both
@row("FMADM-CONFIG-01", "fmadm(8), config")
def test_config_lists_modules(host: Target) -> None:
    lines = host.do("fmadm config").splitlines()
    assert lines[0].split() == ["MODULE", "VERSION", "STATUS", "DESCRIPTION"]
    assert any(line.split()[0] == "software-diagnosis" for line in lines[1:])


@both
@row("FMADM-USAGE-01", "fmadm(8), exit status")
def test_fmadm_says_what_it_does_not_know(host: Target) -> None:
    assert "Usage: fmadm" in host.fails("fmadm frobnicate", 2)
    host.fails("fmadm repaired svc:/site/conf-ghost:default")


@both
@row("NOTIFY-01", "svccfg(8), setnotify, listnotify, delnotify")
def test_notifications_are_kept_listed_and_deleted(host: Target, service: Make) -> None:
    name = service(daemon())
    host.do(f"svccfg -s {fmri(name)} setnotify from-online,to-maintenance mailto:root@localhost")
    out = host.do(f"svccfg -s {fmri(name)} listnotify to-maintenance")
    assert out == (f"    Event: to-maintenance (source: {fmri(name)})\n        Notification Type: smtp\n"
                   "            Active: true\n            to: root@localhost\n")
    assert "Event: from-online" in host.do(f"svcs -n {fmri(name)}")
    host.do(f"svccfg -s {fmri(name)} delnotify from-online,to-maintenance")
    assert host.do(f"svccfg -s {fmri(name)} listnotify") == ""


@row("NOTIFY-02", "svccfg_libscf.c, uri_split")
def test_what_is_no_uri_or_event_is_refused(host: Target, service: Make) -> None:
    name = service(daemon())
    assert "'nowhere' is not an URI" in host.fails(f"svccfg -s {fmri(name)} setnotify to-maintenance nowhere")
    assert "Invalid input." in host.fails(f"svccfg -s {fmri(name)} listnotify to-nowhere")


@row("INIT-USAGE-01", "init(8), uadmin(8), shutdown(8), exit status")
@pytest.mark.parametrize("command", ["init", "init 9", "uadmin", "shutdown -x"])
def test_misuse_of_what_ends_a_host_is_said(host: Target, command: str) -> None:
    said = host.run(command)
    assert said.status != 0 and said.err.startswith("Usage: ")
