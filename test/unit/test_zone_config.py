"""What zonecfg keeps, reads back and exports, and how zoneadm lists it."""
from pathlib import Path
from typing import Dict, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.solaris.columns import fields
from sunlab import platform
from sunlab.commands import zoneadm, zonecfg
from sunlab.zones import config, registry
from sunlab.zones.config import RESOURCES, ZoneConfig
from sunlab.zones.registry import Zone

TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=20)


@st.composite
def resources(draw: st.DrawFn) -> Tuple[str, Dict[str, str]]:
    kind = draw(st.sampled_from(sorted(RESOURCES)))
    return kind, {name: draw(TEXT) for name in RESOURCES[kind]}


@given(TEXT, st.lists(resources(), max_size=3))
def test_a_configuration_is_read_as_it_was_written(path: str, found: List[Tuple[str, Dict[str, str]]]) -> None:
    written = config.written("web1", ZoneConfig({"zonepath": path, "brand": "ipkg"}, found))
    again = config.read(written.splitlines())
    assert (again.scalars, again.resources) == ({"zonepath": path, "brand": "ipkg"}, found)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (registry, config):
        monkeypatch.setattr(module, "ZONES", str(tmp_path))
    monkeypatch.setattr(registry, "RUN", str(tmp_path / "run"))
    return tmp_path


FULL = """# a zone with one of each
create -b
set zonepath=/tank/web1; set autoboot=false
add net
set physical = net0
set address=10.0.0.5/24
end
add fs; set dir=/data; set special=/tank/data; set type=lofs; end
add attr; set name=owner; set type=string; set value="the shop; and others"; end
"""


def test_what_export_prints_makes_the_same_zone_on_another_host(
        node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (node / "first").write_text(FULL)
    assert zonecfg.main(["-z", "web1", "-f", str(node / "first")]) == 0
    assert zonecfg.main(["-z", "web1", "export"]) == 0
    text = capsys.readouterr().out
    before = (node / "web1.xml").read_text()
    assert zonecfg.main(["-z", "web1", "delete", "-F"]) == 0
    (node / "second").write_text(text)
    assert zonecfg.main(["-z", "web1", "-f", str(node / "second")]) == 0
    assert (node / "web1.xml").read_text() == before
    assert 'value="the shop; and others"' in before


def test_nothing_is_kept_of_a_file_with_a_mistake_in_it(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (node / "zone").write_text(FULL + "set cpu-shares=3\n")
    assert zonecfg.main(["-z", "web1", "-f", str(node / "zone")]) == 1
    assert capsys.readouterr().err == "zonecfg: cpu-shares: not modelled in this lab\n"
    assert registry.index() == {}
    assert not (node / "web1.xml").exists()


@pytest.mark.parametrize("text, said", [
    ("create; set zonepath=/", "must be a plain absolute path"),
    ("create; set zonepath=/a/../b", "must be a plain absolute path"),
    ("create; set zonepath=/a:b", "must be a plain absolute path"),
    ("create; set autoboot=yes", "autoboot: must be true or false"),
    ("create; add net; set physical=net0; end", "net: address not specified"),
    ("create; set zonepath=/a/b; add net; set physical=net0", "'end' or 'cancel' is missing"),
    ("create; add fs; set type=zfs", "only lofs is modelled"),
    ("create; commit", "zonepath cannot be empty."),
    ("create; set hostid=1", "hostid=1: not modelled in this lab"),
    ("info", "No such zone configured"),
    ('create; set zonepath="/a', 'a " is missing'),
])
def test_a_mistake_is_named(node: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    assert zonecfg.main(["-z", "web1", text]) == 1
    assert said in capsys.readouterr().err
    assert registry.index() == {}


@pytest.mark.parametrize("name", ["-x", "", "global", "a/b", "SUNWx", "a b", "é", "a" * 64, ".."])
def test_a_name_that_no_zone_may_have_is_refused(name: str) -> None:
    assert not registry.valid(name) if name else zonecfg.main(["-z", name, "create"]) == 1


@pytest.mark.parametrize("name", ["web1", "a-b_c.d", "0", "a" * 63])
def test_a_plain_name_is_a_zones(name: str) -> None:
    assert registry.valid(name)


def test_the_index_gives_a_uuid_at_the_installation_and_takes_it_at_the_end(node: Path) -> None:
    registry.keep({"web1": Zone("web1", "configured", "/tank/web1", "")})
    registry.set_state("web1", "installed")
    first = registry.index()["web1"]
    assert (len(first.uuid), first.uuid[14]) == (36, "4")
    registry.set_state("web1", "configured")
    assert registry.index()["web1"].uuid == ""


@pytest.mark.parametrize("system, count", [(platform.ILLUMOS, 7), (platform.SOLARIS, 10)])
def test_list_p_has_the_platforms_fields_and_escapes_colons(
        monkeypatch: pytest.MonkeyPatch, system: platform.Platform, count: int) -> None:
    monkeypatch.setattr(zoneadm, "here", lambda: system)
    line = zoneadm.colons("-", Zone("web1", "installed", "/tank/a:b", "1234"), "ipkg", "shared").rstrip("\n")
    assert len(fields(line)) == count
    assert fields(line)[:7] == ["-", "web1", "installed", "/tank/a:b", "1234", "ipkg", "shared"]


def test_a_run_file_of_a_dead_zone_does_not_make_it_running(node: Path) -> None:
    (node / "run").mkdir()
    (node / "run/web1").write_text("1 4194300 4194301\n")       # beyond what this kernel gives by default
    assert registry.running("web1") is None
