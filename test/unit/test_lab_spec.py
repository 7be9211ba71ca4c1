"""The lab file: what it may say, and that every mistake in it is said with its place."""
from pathlib import Path
from typing import List

import pytest

from sunlab.array import units
from sunlab.disks.lun import Lun
from sunlab.spec import BmcSpec, Spec, SpecError, parse

GOOD = """\
lab: demo
networks: {public: {subnet: 10.0.0.0/24}, private: {subnet: 192.168.7.0/24}}
disks: {c0t1d0s0: {size: 128M}, c0t2d0s0: {size: 1G, faults: true}}
nodes:
  n1: {addresses: {private: 192.168.7.1/24, public: 10.0.0.1/24}, bmc: {address: {private: 192.168.7.101/24}}}
  n2: {addresses: {public: 10.0.0.2/24}, hostid: 1845715f, disks: [c0t2d0s0], platform: solaris11.4}
clients: {client: {addresses: {public: 10.0.0.200/24}}}
files:
  /etc/sundog/key: {from: key, mode: "0600"}
"""


def problems(text: str, folder: Path) -> List[str]:
    with pytest.raises(SpecError) as caught:
        parse(text, "lab.yaml", folder)
    return caught.value.problems


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text("secret\n")
    return tmp_path


def test_a_lab_file_is_read_whole(folder: Path) -> None:
    spec = parse(GOOD, "lab.yaml", folder)
    assert spec.disks == {"c0t1d0s0": 128 << 20, "c0t2d0s0": 1 << 30}
    assert spec.faulty == ("c0t2d0s0",)
    assert list(spec.nodes["n1"].addresses) == ["private", "public"]        # the order of net0 and net1
    assert spec.nodes["n1"].disks == ("c0t1d0s0", "c0t2d0s0")
    assert (spec.nodes["n2"].hostid, spec.nodes["n2"].disks) == (0x1845715F, ("c0t2d0s0",))
    assert spec.nodes["n1"].bmc == BmcSpec({"private": "192.168.7.101/24"}, "admin", "sunlab")
    assert spec.nodes["n1"].hostid != spec.nodes["n2"].hostid
    assert (spec.files[0].source, spec.files[0].mode) == (str(folder / "key"), 0o600)


def test_what_a_lab_remembers_is_what_it_was_built_from(folder: Path) -> None:
    spec = parse(GOOD, "lab.yaml", folder)
    assert Spec.load(spec.dump()) == spec


@pytest.mark.parametrize(("old", "new", "said"), [
    ("lab: demo", "lab: Demo!", "lab.yaml:1:6: error: a lab's name is"),
    ("clients:", "purple: 1\nclients:", "lab.yaml:7:1: error: unknown key 'purple'; allowed here: lab, networks,"),
    ("size: 128M", "size: lots", "lab.yaml:3:26: error: a size needs a number and a unit"),
    ("faults: true", "array: san", "lab.yaml:3:61: error: disk c0t2d0s0 is on array 'san', which is not in `clients`"),
    ("faults: true", "faults: maybe", "lab.yaml:3:62: error: faults is true or false"),
    ("10.0.0.1/24", "10.0.0.300/24", "is not ADDRESS/PREFIX"),
    ("10.0.0.1/24", "10.0.1.1/24", "is not in the network's subnet 10.0.0.0/24"),
    ("10.0.0.2/24", "10.0.0.1/24", "lab.yaml:6:28: error: 10.0.0.1 is taken already"),
    ("10.0.0.0/24", "10.0.0.1/24", "is not NETWORK/PREFIX"),
    ("{client:", "{n1:", "a client's name is"),
    ("{public: 10.0.0.2/24}", "{pubic: 10.0.0.2/24}", "lab.yaml:6:27: error: network 'pubic' is not in `networks`"),
    ("disks: [c0t2d0s0]", "disks: [c9t9d9s9]", "disk 'c9t9d9s9' is not in `disks`"),
    ("solaris11.4", "hpux", "platform is one of illumos, solaris11.4"),
    ("7.101/24}}", "7.101/24}, user: a b}", "lab.yaml:5:117: error: a controller's user is up to 16 letters"),
    ("bmc: {address: {private: 192.168.7.101/24}}", "bmc: {address: {}}", "give its address on one network"),
    ("192.168.7.101", "192.168.7.1", "192.168.7.1 is taken already"),
    ("1845715f", "xyz", "a hostid is a number of base 16"),
    ("from: key", "from: nokey", "lab.yaml:9:20: error: there is no file"),
    ("/etc/sundog/key:", "etc/key:", "must be an absolute path on the node"),
    ("lab: demo", "lab: [demo", "error: this is not YAML"),
])
def test_a_mistake_is_said_with_its_place(folder: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    assert any(said in problem for problem in problems(GOOD.replace(old, new, 1), folder))


def test_all_mistakes_are_said_in_one_run(folder: Path) -> None:
    text = GOOD.replace("128M", "x").replace("hostid: 1845715f", "colour: red").replace("lab: demo", "lab: 9")
    assert len(problems(text, folder)) == 3


@pytest.mark.parametrize(("lines", "said"), [
    ("{n1: a, n2: a}", "serial is a list of lines"),
    ("[{n1: a}]", "lab.yaml:1:10: error: a line has two ends"),
    ("[{n1: a, n9: a}]", "there is no node 'n9'"),
    ("[{n1: a, n2: ttyb}]", "a port is a letter, as in /dev/term/a, not 'ttyb'"),
    ("[{n1: a, n2: a}, {n2: b, n1: a}]", "port a of n1 is taken already"),
])
def test_a_serial_line_that_makes_no_sense_is_said(folder: Path, lines: str, said: str) -> None:
    assert any(said in problem for problem in problems(f"serial: {lines}\n{GOOD}", folder))


def test_a_disk_of_an_array_takes_faults_and_has_a_number_there(folder: Path) -> None:
    text = GOOD.replace("faults: true}", "array: client}, c0t3d0s0: {size: 1M, array: client}")
    spec = parse(text, "lab.yaml", folder)
    assert spec.arrays == {"c0t2d0s0": "client", "c0t3d0s0": "client"} and spec.faulty == ("c0t2d0s0", "c0t3d0s0")
    assert Spec.load(spec.dump()) == spec
    target = "iqn.2026-01.lab.sundog:client"
    assert units(spec, "n1")["c0t3d0s0"] == Lun("10.0.0.200", target, 2, "iqn.2026-01.lab.sundog:n1")
    assert list(units(spec, "n2")) == ["c0t2d0s0"]


def test_serial_lines_are_read(folder: Path) -> None:
    spec = parse(f"serial: [{{n1: a, n2: b}}]\n{GOOD}", "lab.yaml", folder)
    assert spec.serial == ({"n1": "a", "n2": "b"},)
    assert Spec.load(spec.dump()) == spec
