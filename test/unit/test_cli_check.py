"""`sundog check` and `sundog apply`: nothing with an error is applied, and files arrive whole."""
import json
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Iterator, Mapping, NamedTuple, Tuple

import pytest

from sundog.cli import apply, check
from sundog.cli.main import run
from sundog.config.fields import Cidr, FileName, ZoneName
from sundog.config.install import install
from sundog.config.load import examine_file, load
from sundog.errors import SundogError
from unit.coordinator import Coordinator


class Ip(NamedTuple):
    address: Cidr


class Zone(NamedTuple):
    zone: ZoneName
    config: FileName


TYPES: Mapping[str, type] = {"floating-ip": Ip, "zone": Zone}
GOOD = """\
cluster: shop
nodes:
  n1: {addresses: [10.0.0.1]}
  n2: {addresses: [10.0.0.2]}
  n3: {addresses: [10.0.0.3]}
links: {public: {type: lan, network: 10.0.0.0/24}}
groups:
  web:
    nodes: [n1, n2]
    resources:
      zone: {type: zone, zone: web1, config: zones/web1.cfg}
      ip: {type: floating-ip, address: 10.0.0.100/24, needs: [zone]}
"""


@pytest.fixture(autouse=True)
def few_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command reads with the resource types of this test."""
    for module in (check, apply):
        monkeypatch.setattr(module, "read", lambda file: examine_file(file, TYPES))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones/web1.cfg").write_text("create -b\n")
    (tmp_path / "c.yaml").write_text(GOOD)
    return tmp_path / "c.yaml"


@pytest.fixture
def coordinator(tmp_path: Path) -> Iterator[Coordinator]:
    server = Coordinator(str(tmp_path / "control"))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.close()
    thread.join()


def sundog(file: Path, *args: str) -> int:
    return run(["--control", str(file.parent / "control"), *args])


def said(capsys: pytest.CaptureFixture[str]) -> Tuple[str, str]:
    out, err = capsys.readouterr()
    return out, err


def test_a_good_file_is_good_and_its_risks_are_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sundog(file, "check", str(file)) == 0
    out, _ = said(capsys)
    assert f"{file}:6:1: risk: link public is the only one" in out
    assert out.endswith(f"{file}: cluster shop is good: 3 nodes, 1 links, 1 groups; 3 votes (n1, n2, n3): 1 of them "
                        "may fail; 1 risk\n")


def test_what_the_votes_protect_from_is_said_without_being_asked(
        file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sundog(file, "check", str(file)) == 0
    out = said(capsys)[0].splitlines()
    assert "protects from: the loss of any one of them" in out
    assert "does not protect from: the loss of 2 of them at once: every group stops" in out
    assert not any(line.startswith("assumed: ") for line in out)
    assert sundog(file, "check", str(file), "--explain") == 0
    more = said(capsys)[0].splitlines()
    assert [line for line in more if not line.startswith("assumed: ")] == out
    assert len(more) >= len(out) + 5


def test_what_the_votes_protect_from_as_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sundog(file, "check", str(file), "--json") == 0
    votes = json.loads(said(capsys)[0])["votes"]
    assert (votes["majority"], votes["may_fail"], votes["voters"][0]) == (2, 1, {"name": "n1", "kind": "node"})
    assert votes["protects_from"] == ["the loss of any one of them"]
    file.write_text(GOOD.replace("[n1, n2]", "[n1, n4]"))
    assert sundog(file, "check", str(file), "--json") == 2
    assert json.loads(said(capsys)[0])["votes"] is None


def test_every_mistake_is_printed_and_ends_with_2(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(GOOD.replace("[n1, n2]", "[n1, n4]").replace("web1.cfg", "web2.cfg"))
    assert sundog(file, "check", str(file)) == 2
    out, _ = said(capsys)
    assert f"{file}:9:17: error: group web names node 'n4'" in out
    assert f"{file}:11:46: error: web.zone: {file.parent}/zones/web2.cfg: No such file" in out
    assert out.endswith("2 errors, 1 risk; it cannot be used\n")


def test_the_problems_as_json_have_places(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(GOOD.replace("[n1, n2]", "[n1, n4]"))
    assert sundog(file, "check", str(file), "--json") == 2
    answer = json.loads(said(capsys)[0])
    assert answer["ok"] is False
    error = next(problem for problem in answer["problems"] if problem["severity"] == "error")
    assert (error["line"], error["column"]) == (9, 17)


def test_check_here_says_what_this_host_lacks(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(GOOD.replace("nodes:", f"key_file: {file.parent}/key\nnodes:", 1))
    (file.parent / "key").write_text("x")
    (file.parent / "key").chmod(0o644)
    assert sundog(file, "check", str(file), "--here") == 2
    assert "mode 0644 lets others than its owner use it; chmod 600" in said(capsys)[0]


LINKED = """\
cluster: shop
key_file: {top}/key
nodes:
  n1: {{addresses: [127.0.0.1, 10.0.0.1, 192.0.2.1, '2001:db8::1']}}
  n2: {{addresses: [127.0.0.2, 10.0.0.2, 192.0.2.2, '2001:db8::2']}}
links:
  local:  {{type: lan, network: 127.0.0.0/24}}
  public: {{type: lan, network: 192.0.2.0/24}}
  six:    {{type: lan, network: '2001:db8::/64'}}
  com1:   {{type: serial, nodes: [n1, n2], devices: {{n1: {top}/a, n2: {top}/b}}}}
  disk1:  {{type: disk, device: {top}/disk1}}
  disk2:  {{type: disk, device: {top}/disk2}}
quorum: {{holders: {{disk2: {{type: disk, device: {top}/disk2}}}}}}
groups:
  web:
    nodes: [n1, n2]
    resources:
      ip: {{type: floating-ip, address: 10.0.0.100/24}}
networks: {{service: 10.0.0.0/24}}
"""


def test_check_here_names_the_links_that_this_host_cannot_use(
        file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    top = file.parent
    (top / "key").write_text("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n")
    (top / "key").chmod(0o600)
    monkeypatch.setattr("sundog.cli.here.os.uname", lambda: SimpleNamespace(nodename="n1.example.org"))
    file.write_text(LINKED.format(top=top))
    assert sundog(file, "check", str(file), "--here", "--json") == 2
    absent = json.loads(said(capsys)[0])["host"]
    assert absent == [
        f"holder disk2: {top}/disk2 is not there; check the disk's path with 'format', and run this as root",
        "link public: 192.0.2.1 cannot be used here: Cannot assign requested address; 'ipadm show-addr' lists the "
        "addresses of this host",
        "link six: 2001:db8::1 cannot be used here: Cannot assign requested address; 'ipadm show-addr' lists the "
        "addresses of this host",
        f"link com1: {top}/a is not there; 'ls -lL /dev/cua /dev/term' shows the ports and whose they are; run this as "
        "root",
        f"link disk1: {top}/disk1 is not there; check the disk's path with 'format', and run this as root"]
    for name in ("a", "disk1", "disk2"):
        (top / name).touch()
    file.write_text(LINKED.format(top=top).replace(", 192.0.2.1, '2001:db8::1'", "").replace(
        "  public: {type: lan, network: 192.0.2.0/24}\n", "").replace(
        "  six:    {type: lan, network: '2001:db8::/64'}\n", "").replace(", 192.0.2.2, '2001:db8::2'", ""))
    assert sundog(file, "check", str(file), "--here", "--json") == 0, said(capsys)


def test_apply_sends_the_text_and_the_files_that_it_names(
        file: Path, coordinator: Coordinator, capsys: pytest.CaptureFixture[str]) -> None:
    assert sundog(file, "apply", str(file)) == 0
    assert said(capsys)[0] == "configuration 4 is in effect\n"
    assert coordinator.asked == [{"op": "apply", "source": GOOD, "files": {"zones/web1.cfg": "create -b\n"}}]


def test_apply_of_a_file_with_an_error_asks_nobody_and_installs_nothing(
        file: Path, coordinator: Coordinator, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(GOOD.replace("[n1, n2]", "[n1, n4]"))
    assert sundog(file, "apply", str(file), "--into", str(file.parent / "etc")) == 2
    out, err = said(capsys)
    assert out == ""
    assert ":9:17: error: " in err
    assert coordinator.asked == []
    assert not (file.parent / "etc").exists()


def test_apply_without_a_coordinator_installs_the_files_here(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    etc = file.parent / "etc"
    assert sundog(file, "apply", str(file), "--into", str(etc)) == 0
    assert "takes effect when that starts: svcadm enable sundog/coordinator" in said(capsys)[0]
    assert load(str(etc / "cluster.yaml"), TYPES) == load(str(file), TYPES)
    assert sorted(str(path.relative_to(etc)) for path in etc.rglob("*") if path.is_file()) == [
        "cluster.yaml", "zones/web1.cfg"]


def test_an_install_that_fails_leaves_the_old_configuration(file: Path, tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    old = load(str(file), TYPES)
    install(old.source, old.files, str(etc))
    file.write_text(GOOD.replace("shop", "other"))
    (file.parent / "zones/web1.cfg").write_text("create\n")
    (etc / f"zones/web1.cfg.{os.getpid()}.new").mkdir()
    new = load(str(file), TYPES)
    with pytest.raises(SundogError, match="web1.cfg.*new"):
        install(new.source, new.files, str(etc))
    assert load(str(etc / "cluster.yaml"), TYPES).name == "shop"
    assert (etc / "zones/web1.cfg").read_text() == "create -b\n"
