"""The NFS client's parts: XDR, RPC records, attributes and options; and the lab's NAS as its file has it."""
import errno
import struct
from pathlib import Path

import pytest

from sunlab import nas
from sunlab.fs import nfs
from sunlab.nfs import rpc, v3
from sunlab.nfs.xdr import Reader, long, numbers, opaque
from sunlab.spec import Spec, SpecError, parse

LAB = ("lab: x\nnetworks: {p: {subnet: 10.0.0.0/24}}\nnodes: {n1: {addresses: {p: 10.0.0.1/24}}}\n"
       "nas: {filer: {addresses: {p: 10.0.0.9/24}, exports: [/export/home]}}\n")


def test_opaque_data_is_filled_up_to_four_bytes() -> None:
    assert opaque(b"abcde") == b"\0\0\0\5abcde\0\0\0"
    reader = Reader(opaque(b"abcde") + numbers(7) + long(1 << 40))
    assert (reader.opaque(), reader.number(), reader.long()) == (b"abcde", 7, 1 << 40)
    with pytest.raises(struct.error):
        Reader(numbers(9) + b"short").opaque()


def test_records_are_found_however_they_arrive() -> None:
    records = rpc.Records()
    whole = numbers(0x80000003) + b"one" + numbers(2) + b"tw" + numbers(0x80000001) + b"o"
    assert [record for byte in whole for record in records.feed(bytes([byte]))] == [b"one", b"two"]


def test_a_call_is_answered_by_its_number() -> None:
    record = rpc.call(5, v3.NFS, 3, v3.GETATTR, opaque(b"handle"), 10, 20, "n1")
    assert struct.unpack_from(">7I", record, 4) == (5, 0, 2, v3.NFS, 3, v3.GETATTR, 1)
    xid, reader = rpc.results(numbers(5, 1, 0, 0, 0, 0) + numbers(42))
    assert (xid, reader.number()) == (5, 42)
    with pytest.raises(rpc.RpcFailed, match="Program unavailable"):
        rpc.results(numbers(5, 1, 0, 0, 0, 1))


@pytest.mark.parametrize(("status", "number"), [(2, errno.ENOENT), (66, errno.ENOTEMPTY), (70, errno.ESTALE),
                                                (10004, errno.EOPNOTSUPP)])
def test_a_status_of_nfs_is_an_errno(status: int, number: int) -> None:
    with pytest.raises(OSError) as caught:
        v3.checked(Reader(numbers(status)))
    assert caught.value.errno == number


def test_attributes_to_be_set_are_those_that_were_named() -> None:
    body = v3.SETATTR_IN.pack(v3.MODE | v3.SIZE | v3.MTIME, 0, 0, 100, 0, 1, 2, 3, 4, 5, 6, 0o100644, 0, 7, 8, 0)
    assert v3.set_attributes(b"h", body) == (
        opaque(b"h") + numbers(1, 0o644) + numbers(0) + numbers(0) + numbers(1) + long(100) + numbers(0)
        + numbers(2, 2, 5) + numbers(0))


def test_a_directory_is_told_as_far_as_there_is_room() -> None:
    entries = numbers(0) + bytes(8)
    for number in (1, 2):
        entries += numbers(1) + long(number) + opaque(b"name%d" % number) + long(number + 10)
    verifier, found = v3.entries(Reader(entries + numbers(0, 1)))
    assert (verifier, found) == (bytes(8), [(1, b"name1", 11), (2, b"name2", 12)])
    assert len(v3.listed(found, 64)) == 64
    assert len(v3.listed(found, 63)) == 32


def test_the_options_of_a_mount_say_how_long_it_waits() -> None:
    assert nfs.patience([], {}) == float("inf")
    assert nfs.patience(["soft"], {}) == 300.0
    assert nfs.patience(["soft", "hard"], {}) == float("inf")
    assert nfs.patience(["soft"], {"timeo": 5, "retrans": 2}) == 1.0
    assert nfs.shown(["ro", "soft"]) == "ro,soft,xattr"


@pytest.mark.parametrize(("special", "found"), [("filer:/export", ("filer", "/export")), ("filer:", ("filer", "/")),
                                                ("[fd00::1]:/x", ("fd00::1", "/x"))])
def test_a_resource_is_a_host_and_a_path(special: str, found: "tuple[str, str]") -> None:
    assert nfs.split(special) == found


@pytest.mark.parametrize("special", ["/export", "a,b:/x", "nfs://filer/x"])
def test_what_is_no_resource_is_refused(special: str) -> None:
    with pytest.raises(nfs.Failed):
        nfs.split(special)


def test_a_lab_file_has_a_nas(tmp_path: Path) -> None:
    spec = parse(LAB, "lab.yaml", tmp_path)
    assert spec.nas["filer"].exports == ("/export/home",)
    assert list(spec.hosts) == ["n1", "filer"]
    assert Spec.load(spec.dump()) == spec
    assert 'Path = "/mnt/exports/export/home"; Pseudo = "/export/home"' in nas.configuration(spec.nas["filer"])


@pytest.mark.parametrize(("old", "new", "said"), [
    ("filer:", "n1:", "lab.yaml:4:11: error: a NAS's name is"),
    (", exports: [/export/home]", "", "lab.yaml:4:14: error: a NAS exports a list of paths"),
    ("[/export/home]", "[home]", "lab.yaml:4:54: error: 'home' is no path to export"),
    ("10.0.0.9", "10.0.0.1", "lab.yaml:4:30: error: 10.0.0.1 is taken already")])
def test_mistakes_about_a_nas_are_told_with_their_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse(LAB.replace(old, new, 1), "lab.yaml", tmp_path)
    assert said in str(caught.value)
