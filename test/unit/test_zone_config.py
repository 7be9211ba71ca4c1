"""What zonecfg keeps, reads back, shows and exports, and how zoneadm lists it."""
from pathlib import Path
from typing import Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.solaris.columns import fields
from sunlab import platform
from sunlab.commands import zonecfg
from sunlab.zones import checks, config, listing, registry, root, schema, show
from sunlab.zones.config import Resource, ZoneConfig
from sunlab.zones.registry import Zone
from sunlab.zones.terminal import Keys

TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20)


@st.composite
def resources(draw: st.DrawFn) -> Resource:
    kind = draw(st.sampled_from(["fs", "net", "device", "attr", "dataset", "admin", "rctl"]))
    pairs = {name: draw(TEXT) for name in schema.KINDS[kind].properties}
    values: List[str] = []
    if kind == "fs":
        values = draw(st.lists(TEXT, max_size=2))
    if kind == "rctl":
        values = ["(priv=privileged,limit=10,action=deny)"]
    return Resource(kind, pairs, values)


@given(TEXT, st.lists(resources(), max_size=3))
def test_a_configuration_is_read_as_it_was_written(path: str, found: List[Resource]) -> None:
    scalars = {"zonepath": path, "brand": "ipkg"}
    again = config.read(config.written("web1", ZoneConfig(scalars, found)).encode())
    assert again.scalars == scalars
    assert [(one.kind, one.pairs, one.values) for one in again.resources] == [
        (one.kind, one.pairs, one.values) for one in found]


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (registry, config):
        monkeypatch.setattr(module, "ZONES", str(tmp_path))
    monkeypatch.setattr(registry, "RUN", str(tmp_path / "run"))
    return tmp_path


@pytest.fixture
def solaris(node: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (schema, config, checks, show, listing, root):
        monkeypatch.setattr(module, "here", lambda: platform.SOLARIS)
    for name in ("session", "editing", "instance"):
        monkeypatch.setattr(f"sunlab.zones.{name}.here", lambda: platform.SOLARIS)
    return node


FULL = """# a zone with one of each
create -b
set zonepath=/tank/web1; set autoboot=false
set max-lwps=200
set hostid=1845715f
add net
set physical = net0
set address=10.0.0.5/24
end
add fs; set dir=/data; set special=/tank/data; set type=lofs; add options [ro,nodevices]; end
add attr; set name=owner; set type=string; set value="the shop; and others"; end
add capped-memory; set physical=512m; end
add rctl; set name=zone.max-swap; add value (priv=privileged,limit=100,action=deny); end
add dataset; set name=tank/web; end
add device; set match=/dev/dsk/c0t1d0s0; end
add dedicated-cpu; set ncpus=1-2; set importance=3; end
"""


def test_what_export_prints_makes_the_same_zone_on_another_host(
        node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (node / "first").write_text(FULL)
    assert zonecfg.main(["-z", "web1", "-f", str(node / "first")]) == 0
    assert zonecfg.main(["-z", "web1", "export", "-f", str(node / "second")]) == 0
    assert zonecfg.main(["-z", "web1", "info"]) == 0
    before = capsys.readouterr().out
    assert zonecfg.main(["-z", "web1", "delete", "-F"]) == 0
    assert zonecfg.main(["-z", "web1", "-f", str(node / "second")]) == 0
    assert zonecfg.main(["-z", "web1", "info"]) == 0
    assert capsys.readouterr().out == before
    assert 'value="the shop; and others"' in (node / "web1.xml").read_text()


def test_info_shows_a_zone_as_zonecfg_does(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (node / "first").write_text(FULL)
    zonecfg.main(["-z", "web1", "-f", str(node / "first")])
    zonecfg.main(["-z", "web1", "info"])
    shown = capsys.readouterr().out
    assert shown.startswith("zonename: web1\nzonepath: /tank/web1\nbrand: ipkg\nautoboot: false\nbootargs: \npool: \n"
                            "limitpriv: \nscheduling-class: \nip-type: shared\nhostid: 1845715f\nfs-allowed: \n"
                            "[max-lwps: 200]\nfs:\n\tdir: /data\n\tspecial: /tank/data\n\traw not specified\n"
                            "\ttype: lofs\n\toptions: [ro,nodevices]\nnet:\n\taddress: 10.0.0.5/24\n"
                            "\tallowed-address not specified\n\tphysical: net0\n\tdefrouter not specified\n")
    assert "dedicated-cpu:\n\tncpus: 1-2\n\timportance: 3\n" in shown
    assert "capped-memory:\n\tphysical: 512M\n\t[swap: 100]\n" in shown
    assert "rctl:\n\tname: zone.max-swap\n\tvalue: (priv=privileged,limit=100,action=deny)\n" in shown


def test_a_zone_of_the_system_default_has_an_automatic_interface_on_solaris(
        solaris: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert zonecfg.main(["-z", "s1", "create"]) == 0
    assert capsys.readouterr().out == "create: Using system default template 'SYSdefault'\n"
    zonecfg.main(["-z", "s1", "info"])
    zonecfg.main(["-z", "s1", "info", "zonepath"])
    zonecfg.main(["-z", "s1", "export"])
    assert capsys.readouterr().out == (
        "zonename: s1\nbrand: solaris\nanet:\n\tlinkname: net0\n\tconfigure-allowed-address: true\n"
        "zonepath: /system/zones/s1\n"
        "create -b\nset brand=solaris\nset zonepath=/system/zones/%{zonename}\nset autoboot=false\n"
        "set autoshutdown=shutdown\nset ip-type=exclusive\nadd anet\nset linkname=net0\nset lower-link=auto\n"
        "set configure-allowed-address=true\nset link-protection=mac-nospoof\nset mac-address=auto\nend\n")
    assert registry.index()["s1"].path == "/system/zones/s1"


def test_what_stood_before_a_mistake_in_a_file_is_kept(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (node / "zone").write_text("create -b\nset zonepath=/tank/web1\nset autoboot=perhaps\nset autoboot=true\n")
    assert zonecfg.main(["-z", "web1", "-f", str(node / "zone")]) == 1
    assert capsys.readouterr().err == (f"On line 3 of {node}/zone:\nautoboot value must be 'true' or 'false'.\n")
    kept = config.load("web1")
    assert kept is not None
    assert (kept.get("zonepath"), kept.get("autoboot")) == ("/tank/web1", "false")


def test_a_resource_left_open_by_a_mistake_keeps_all_of_a_file_out(
        node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (node / "zone").write_text("create -b\nset zonepath=/tank/web1\nadd net\nset speed=3\nend\n")
    assert zonecfg.main(["-z", "web1", "-f", str(node / "zone")]) == 1
    assert capsys.readouterr().err.startswith("syntax error on line 4 at '='\nCommands:\n")
    assert registry.index() == {}


def test_on_the_command_line_a_mistake_does_not_keep_the_rest_from_being_done(
        node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert zonecfg.main(["-z", "web1", "create; set zonepath=x; set zonepath=/tank/web1; set autoboot=true"]) == 1
    assert capsys.readouterr().err == "x is not an absolute path.\n"
    kept = config.load("web1")
    assert kept is not None
    assert kept.get("autoboot") == "true"


@pytest.mark.parametrize("text, said, kept", [
    ("create; set zonepath=/", "/ is not allowed as a zonepath.", False),
    ("create; set zonepath=/a; add net; set physical=net0; end", "net: address not specified", False),
    ("create; set zonepath=/a; add net; end", "physical not specified", False),
    ("create; set zonepath=/a; add net; set physical=net0", "Resource incomplete.", False),
    ("create; set zonepath=/a; add net; set physical=net0; set address=::1", "::1: IPv6 addresses require "
     "/prefix-length suffix.", False),
    ("create; set zonepath=/a; set ip-type=exclusive; add net; set physical=v0; set address=10.0.0.1; end",
     "net: address cannot be specified for an exclusive IP type", False),
    ("create; commit", "zonepath cannot be empty.\nZone web1 failed to verify\nweb1: Required resource missing", False),
    ("create; set zonepath=/a; end", "The end command only makes sense in the resource scope.", True),
    ("create; set zonepath=/a; set brand=nobrand", "web1: unknown brand.", False),
    ("create; set zonepath=/a; remove fs dir=/x", "remove fs: No such resource with that id", True),
    ("create; set zonepath=/a; clear zonepath", "zonepath: Clearing this property is not allowed", True),
    ("create; set zonepath=/a; set dir=/x", "Cannot set a resource-specific property from the global scope.", True),
    ("create; set zonepath=/a; add attr; set name=a; set type=int; set value=x; end",
     "invalid attr value for type=int", False),
    ("info", "web1: No such zone configured", False),
    ("create; set zonepath=/a; add capped-memory; set physical=1k; end", "physical value is too small.  It must be at "
     "least 1M.", False),
    ("create; set zonepath=/a; add capped-memory; end", "No property was specified.  One of physical, swap or locked "
     "is required.", False),
    ('create; set zonepath="/a', "syntax error at '\\n'", False),
])
def test_a_mistake_is_named(node: Path, capsys: pytest.CaptureFixture[str], text: str, said: str, kept: bool) -> None:
    assert zonecfg.main(["-z", "web1", text]) == 1
    assert said in capsys.readouterr().err
    assert bool(registry.index()) is kept


def test_a_resource_is_selected_changed_and_removed(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = ("create; set zonepath=/a; add fs; set dir=/x; set special=/x; set type=lofs; end; "
           "add fs; set dir=/y; set special=/y; set type=lofs; end")
    assert zonecfg.main(["-z", "web1", two]) == 0
    assert zonecfg.main(["-z", "web1", "select fs dir=/x; set special=/z; add options ro; end"]) == 0
    assert zonecfg.main(["-z", "web1", "add fs; set dir=/x; set special=/q; set type=lofs; end"]) == 1
    assert "A fs resource with the dir '/x' already exists.\n" in capsys.readouterr().err
    assert zonecfg.main(["-z", "web1", "remove fs"]) == 1
    assert capsys.readouterr().err.startswith("There are multiple instances of this resource.")
    assert zonecfg.main(["-z", "web1", "remove fs dir=/y"]) == 0
    zonecfg.main(["-z", "web1", "info fs"])
    assert capsys.readouterr().out == ("fs:\n\tdir: /x\n\tspecial: /z\n\traw not specified\n\ttype: lofs\n"
                                       "\toptions: [ro]\n")
    assert zonecfg.main(["-z", "web1", "remove -F fs"]) == 0
    assert zonecfg.main(["-z", "web1", "info", "fs", "dir=/x"]) == 0
    assert capsys.readouterr().out == "No such fs resource.\n"


def test_without_a_terminal_nothing_is_deleted_or_overwritten_unless_forced(
        node: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zonecfg.os, "isatty", lambda _: False)
    zonecfg.main(["-z", "web1", "create; set zonepath=/a"])
    assert zonecfg.main(["-z", "web1", "delete"]) == 1
    assert capsys.readouterr().err == ("Input not from terminal and -F not specified:\n"
                                       "delete command ignored, exiting.\n")
    assert zonecfg.main(["-z", "web1", "create"]) == 1
    assert zonecfg.main(["-z", "web1", "create -F; set zonepath=/b"]) == 0
    assert capsys.readouterr().out == "Zone web1 already exists; overwriting.\n"
    assert zonecfg.main(["-z", "web1", "delete", "-F"]) == 0
    assert zonecfg.main(["-z", "web1", "delete", "-F"]) == 1


def test_a_zone_is_made_after_another_and_reverted(node: Path) -> None:
    zonecfg.main(["-z", "web1", "create; set zonepath=/a; set autoboot=true"])
    assert zonecfg.main(["-z", "web2", "create -t web1; set zonepath=/b"]) == 0
    assert zonecfg.main(["-z", "web2", "set zonepath=/c; revert -F"]) == 0
    kept = config.load("web2")
    assert kept is not None
    assert (kept.get("zonepath"), kept.get("autoboot")) == ("/b", "true")


def test_a_configuration_is_made_from_what_a_detached_zone_left(
        node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zonecfg.main(["-z", "web1", "create; set zonepath=/a; set bootargs=-v"])
    (node / "moved").mkdir()
    (node / "moved/SUNWdetached.xml").write_text((node / "web1.xml").read_text())
    assert zonecfg.main(["-z", "web2", "create", "-a", f"{node}/moved"]) == 0
    kept = config.load("web2")
    assert kept is not None
    assert (kept.get("zonepath"), kept.get("bootargs")) == (f"{node}/moved", "-v")
    zonecfg.main(["-z", "web3", "create", "-a", "/nowhere"])
    assert capsys.readouterr().err == "invalid path to detached zone\n"


def test_some_refusals_do_not_count_as_errors(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zonecfg.main(["-z", "web1", "create; set zonepath=/a"])
    registry.set_state("web1", "installed")
    (node / "run").mkdir()
    registry.record("web1", registry.Running(1, 0, 1, "ready"))
    assert zonecfg.main(["-z", "web1", "set", "zonepath=/b"]) == 0
    assert capsys.readouterr().err == "Zone web1 already installed; set zonepath not allowed.\n"
    assert zonecfg.main(["-z", "web1", "delete", "-F"]) == 1
    assert capsys.readouterr().err == "web1: Zone state is invalid for the requested operation\n"


@pytest.mark.parametrize("name", ["-x", "global", "a/b", "SUNWx", "a b", "é", "a" * 64, ".."])
def test_a_name_that_no_zone_may_have_is_refused(name: str) -> None:
    assert not registry.valid(name)


@pytest.mark.parametrize("arguments", [["-z", "-x", "info"], ["-z", "web1", "-f"], [], ["info"]])
def test_a_misuse_is_exit_status_2(node: Path, arguments: List[str]) -> None:
    assert zonecfg.main(arguments) == 2


@pytest.mark.parametrize("name", ["web1", "a-b_c.d", "0", "a" * 63])
def test_a_plain_name_is_a_zones(name: str) -> None:
    assert registry.valid(name)


def test_the_index_gives_a_uuid_at_the_installation_and_takes_it_at_the_end(node: Path) -> None:
    registry.keep({"web1": Zone("web1", "configured", "/tank/web:1", "")})
    registry.set_state("web1", "installed")
    first = registry.index()["web1"]
    assert (len(first.uuid), first.uuid[14], first.path) == (36, "4", "/tank/web:1")
    registry.set_state("web1", "configured")
    assert registry.index()["web1"].uuid == ""


@pytest.mark.parametrize("system, count, table", [
    (platform.ILLUMOS, 7, "   - web1             installed  /tank/a:b                      ipkg     shared\n"),
    (platform.SOLARIS, 10, "   - web1             installed   /tank/a:b                    ipkg       shared\n")])
def test_list_has_the_platforms_fields_and_columns(monkeypatch: pytest.MonkeyPatch, system: platform.Platform,
                                                   count: int, table: str) -> None:
    monkeypatch.setattr(listing, "here", lambda: system)
    row = listing.Row("-", Zone("web1", "installed", "/tank/a:b", "1234"), "ipkg", "shared")
    assert len(fields(row.colons().rstrip("\n"))) == count
    assert fields(row.colons())[:6] == ["-", "web1", "installed", "/tank/a:b", "1234", "ipkg"]
    assert row.columns() == table


def test_a_run_file_of_a_dead_zone_does_not_make_it_running(node: Path) -> None:
    (node / "run").mkdir()
    (node / "run/web1").write_text("1 4194300 4194301 running\n")       # beyond what this kernel gives by default
    assert registry.running("web1") is None


def test_a_zone_whose_init_is_dead_is_down_until_its_daemon_has_tidied_up(node: Path) -> None:
    (node / "run").mkdir()
    (node / "run/web1").write_text("1 4194300 1 shutting_down\n")
    at = registry.running("web1")
    assert at is not None
    assert at.state == "down"


@pytest.mark.parametrize("typed, passed, over", [
    (b"ls\r", b"ls\r", False), (b"~.", b"", True), (b"ls\r~.", b"ls\r", True), (b"a~.", b"a~.", False),
    (b"~~.", b"~.", False), (b"~x", b"x", False)])
def test_a_tilde_and_a_full_stop_at_the_beginning_of_a_line_leave_the_zone(
        typed: bytes, passed: bytes, over: bool) -> None:
    assert Keys(b"~").typed(typed) == (passed, over)


@pytest.mark.parametrize("text, size", [("1k", 1024), ("1.5G", 3 << 29), ("10", 10), ("x", None), ("-1m", None)])
def test_memory_is_read_with_its_unit(text: str, size: "int | None") -> None:
    assert schema.in_bytes(text) == size


@pytest.mark.parametrize("size, text", [(512 << 20, "512M"), (3 << 29, "1.5G"), (100, "100")])
def test_memory_is_shown_with_its_unit(size: int, text: str) -> None:
    assert schema.in_units(size) == text


def test_the_platforms_differ_in_what_create_without_a_template_makes(solaris: Path) -> None:
    blank: Dict[str, str] = config.blank().scalars
    assert (blank["ip-type"], blank["zonepath"]) == ("exclusive", "/system/zones/%{zonename}")
