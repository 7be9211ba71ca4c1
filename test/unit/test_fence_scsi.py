"""Persistent reservations: what sg_persist says, what a fence by them proves, and who gets a key when."""
import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import Any, Dict

import pytest

from sundog.config.model import FenceLevel
from sundog.config.scsi import PREEMPT, Scsi, is_of, key, whole
from sundog.errors import SundogError
from sundog.fence.claim import BARRED, HELD, KEYLESS, OPEN, Claim, Claimant, claim_all
from sundog.fence.device import OFF, ON, FenceFailed, NoAnswer, NoThread
from sundog.fence.scsi import ScsiDevice
from sundog.fence.sequence import device_of, switch_off
from sundog.solaris import sgpersist, unended
from sundog.solaris.run import CommandNotRun, Done
from sundog.solaris.sgpersist import Disk, NotSupported, Reservation
from unit.array import Array

A, B = "/dev/rdsk/c0t3d0s2", "/dev/rdsk/c0t4d0s2"
CAPTURES = Path(__file__).parents[1] / "data/sg_persist"


@pytest.fixture(autouse=True)
def tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sgpersist, "PATHS", ("/bin/sh",))


@pytest.fixture
def array() -> Array:
    """Two disks with the keys of n1, n2 and n3; n1 was first to reserve them."""
    made = Array(A, B)
    for node in ("n1", "n2", "n3"):
        made.disks[A][node] = made.disks[B][node] = key("shop", node)
    made.held = {A: "n1", B: "n1"}
    made.types = {A: "5", B: "5"}
    return made


def device(array: Array, me: str = "n2", **more: Any) -> ScsiDevice:
    return ScsiDevice(FenceLevel("scsi", Scsi((A, B), "shop", **more), 5.0), "n1", me, array.run_on(me))


def claimed(array: Array, me: str, may: bool = True, members: Any = ("n1", "n2", "n3"),
            known: Any = ()) -> Dict[str, Any]:
    by = Claimant("shop", key("shop", me), {node: key("shop", node) for node in members}, lambda: may, frozenset(known))
    return dict(claim_all((A, B), by, 5.0, array.run_on(me)))


# ---- keys and words


def test_a_key_names_cluster_and_node_and_stays() -> None:
    assert key("shop", "n1") == 0xac6a4ca2eb7954ec
    assert len({key(cluster, node) for cluster in ("shop", "bank") for node in ("n1", "n2")}) == 4
    assert 0 < key("shop", "n1") < 1 << 64
    assert is_of("shop", key("shop", "n1")) and not is_of("bank", key("shop", "n1"))


@pytest.mark.parametrize(("path", "disk"), [
    ("/dev/rdsk/c0t3d0s2", "c0t3d0"), ("/dev/dsk/c0t600144F0A1d0p0", "c0t600144F0A1d0"),
    ("/dev/rdsk/c3t50060160d12", "c3t50060160d12"), ("/dev/rdsk/emcp", "emcp")])
def test_all_slices_of_a_disk_have_one_reservation(path: str, disk: str) -> None:
    assert whole(path) == disk


def said(name: str, rc: int = 0) -> Any:
    """A real capture as the answer to whatever is asked."""
    text = (CAPTURES / name).read_text()
    return lambda argv, timeout_s: Done(tuple(argv), rc, "" if rc else text, text if rc else "", False, timeout_s)


def test_what_a_real_disk_says_is_understood() -> None:
    assert Disk(A, said("no-keys")).keys(5) == frozenset()
    assert Disk(A, said("one-key")).keys(5) == {key("shop", "n1")}
    assert Disk(A, said("two-keys")).keys(5) == {key("shop", "n1"), key("shop", "n2")}
    assert Disk(A, said("no-reservation")).reservation(5) is None
    assert Disk(A, said("reservation")).reservation(5) == Reservation(key("shop", "n1"), sgpersist.REGISTRANTS_ONLY)
    held = Disk(A, said("other-reservation")).reservation(5)
    assert held == Reservation(key("shop", "n1"), "Write Exclusive")
    able = Disk(A, said("capabilities")).abilities(5)
    assert able.registrants_only and not able.lasting


@pytest.mark.parametrize(("name", "rc", "kind", "word"), [
    ("conflict", 24, sgpersist.Conflict, "reservation conflict"),
    ("unsupported", 5, NotSupported, "does not know"),
    ("no-device", 52, sgpersist.DiskSilent, "cannot be opened")])
def test_what_a_real_disk_refuses_becomes_an_error_with_what_to_do(name: str, rc: int, kind: type, word: str) -> None:
    with pytest.raises(kind) as raised:
        Disk(A, said(name, rc)).preempt(1, 2, True, 5)
    assert A in raised.value.what and word in raised.value.what  # type: ignore[attr-defined]
    assert raised.value.remedy and raised.value.said  # type: ignore[attr-defined]


def test_a_unit_attention_is_no_answer(array: Array) -> None:
    array.attentions = 2
    assert len(Disk(A, array.run_on("n1")).keys(5)) == 3
    array.attentions = 9
    with pytest.raises(SundogError, match="status 6"):
        Disk(A, array.run_on("n1")).keys(5)


def test_words_that_are_no_answer_are_an_error() -> None:
    blank = Disk(A, lambda argv, timeout_s: Done(tuple(argv), 0, "what?\n", "", False, timeout_s))
    for ask in (blank.keys, blank.reservation):
        with pytest.raises(SundogError):
            ask(5)


def test_a_host_without_the_tool_says_what_to_install(array: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sgpersist, "PATHS", ())
    with pytest.raises(FenceFailed, match="no sg_persist; pkg install sg3_utils"):
        device(array).ready()
    with pytest.raises(FenceFailed, match="no sg_persist"):
        device(array).status(5)


# ---- fencing


def test_a_fenced_node_writes_to_no_disk_and_the_others_go_on(array: Array) -> None:
    off = switch_off(device(array))
    assert (off.acted, off.barred) == (True, True) and off.said == "scsi c0t3d0, c0t4d0 took its key off every disk"
    assert not array.may_write("n1", A) and not array.may_write("n1", B)
    assert array.may_write("n2", A) and array.may_write("n3", B)
    assert array.held == {A: "n2", B: "n2"}
    assert any("--preempt-abort" in words and "--prout-type=5" in words for words in array.asked)
    again = switch_off(device(array, "n3"))
    assert not again.acted and again.barred


def test_a_disk_that_knows_no_abort_fails_unless_it_is_said(array: Array) -> None:
    array.knows_abort = False
    with pytest.raises(FenceFailed, match="does not know preempt-abort"):
        switch_off(device(array))
    assert array.may_write("n1", A)
    assert switch_off(device(array, method=PREEMPT)).acted
    assert not array.may_write("n1", A)


def test_one_disk_that_is_away_makes_the_fence_fail(array: Array) -> None:
    array.silent = [B]
    with pytest.raises(NoAnswer, match=f"{B} cannot be opened"):
        switch_off(device(array))
    assert array.may_write("n1", A)


def test_who_has_no_key_itself_proves_nothing(array: Array) -> None:
    del array.disks[B]["n2"]
    with pytest.raises(FenceFailed, match=f"{B} has no key of this node, n2"):
        switch_off(device(array))


def test_a_key_that_is_gone_proves_nothing_where_the_disk_is_not_reserved(array: Array) -> None:
    del array.disks[A]["n1"], array.disks[B]["n1"], array.held[B]
    with pytest.raises(FenceFailed, match=f"{B} is not reserved"):
        switch_off(device(array))


def test_reservations_of_another_type_and_strange_keys_are_told(array: Array) -> None:
    array.types[A] = "1"
    with pytest.raises(FenceFailed, match="of another type: Write Exclusive; if nobody else uses the disk"):
        device(array).status(5)
    array.types[A] = "5"
    array.disks[A]["stranger"] = 0xabc123
    with pytest.raises(FenceFailed, match="key 0xabc123, which is no key of this cluster"):
        device(array).status(5)


def test_a_test_reads_and_changes_nothing(array: Array) -> None:
    assert device(array).status(5) == ON
    del array.disks[A]["n1"]
    assert device(array).status(5) == ON, "on one disk it is still there"
    del array.disks[B]["n1"]
    array.held = {A: "n2", B: "n3"}
    assert device(array).status(5) == OFF
    assert not [words for words in array.asked if "--out" in words]


def test_every_disk_that_fails_is_named(array: Array) -> None:
    array.silent = [A, B]
    with pytest.raises(NoAnswer) as raised:
        device(array).status(5)
    assert A in raised.value.what and B in raised.value.what


def test_a_level_of_type_scsi_has_this_device() -> None:
    assert isinstance(device_of(FenceLevel("scsi", Scsi((A,), "shop")), "n1", "n2"), ScsiDevice)


# ---- claiming


def test_the_last_of_the_nodes_reserves_the_disks() -> None:
    array = Array(A, B)
    first = claimed(array, "n1")
    assert first[A].state == OPEN and "waits for the key of n2, n3" in first[A].text
    claimed(array, "n2")
    assert not array.held
    assert claimed(array, "n3")[A].state == claimed(array, "n1")[B].state == HELD
    assert array.held == {A: "n3", B: "n3"} and array.types[A] == "5"


def test_a_node_that_has_its_key_changes_nothing(array: Array) -> None:
    assert claimed(array, "n2", known=(A, B))[A] == Claim(HELD)
    assert claimed(array, "n2", may=False)[A] == Claim(HELD)
    assert not [words for words in array.asked if "--out" in words]


def test_a_key_from_before_is_put_there_again_as_it_may_be_of_another_port(array: Array) -> None:
    array.disks[A] = {"n1, before": key("shop", "n1"), "n2": key("shop", "n2"), "n3": key("shop", "n3")}
    assert not array.may_write("n1", A)
    assert claimed(array, "n1")[A] == Claim(HELD, "", True)
    assert array.may_write("n1", A)


def test_a_node_that_boots_again_gets_its_key_back(array: Array) -> None:
    switch_off(device(array))
    assert claimed(array, "n1")[A].state == HELD
    assert array.may_write("n1", A) and array.may_write("n1", B)


def test_who_may_not_gets_no_key_back_and_learns_that_it_was_barred(array: Array) -> None:
    switch_off(device(array))
    assert claimed(array, "n1", may=False)[A].state == BARRED
    assert not array.may_write("n1", A)


def test_a_disk_that_has_forgotten_everything_bars_nobody() -> None:
    assert claimed(Array(A, B), "n1", may=False)[A].state == KEYLESS


def test_keys_outlast_the_disks_power_where_it_can_keep_them() -> None:
    array = Array(A, B)
    claimed(array, "n1")
    assert not any("--param-aptpl" in words for words in array.asked)
    array = Array(A, B)
    array.lasting = True
    claimed(array, "n1")
    assert any("--param-aptpl" in words for words in array.asked)


def test_a_disk_that_another_cluster_uses_is_left_alone(array: Array) -> None:
    array.disks[A] = {"x": key("bank", "n1")}
    found = claimed(array, "n2")
    assert isinstance(found[A], FenceFailed) and "no key of this cluster" in str(found[A])
    assert found[B].state == HELD
    assert array.disks[A] == {"x": key("bank", "n1")}


def test_one_disk_that_is_away_says_so_and_the_others_are_claimed() -> None:
    array = Array(A, B)
    array.silent = [A]
    found = claimed(array, "n1", members=("n1",))
    assert "cannot be opened" in str(found[A]) and found[B].state == HELD


def test_a_tool_that_cannot_be_run_fails_and_is_no_silent_disk(array: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not answer keeps nobody from starting; one that was not asked does."""
    def run(argv: Any, **_: Any) -> Any:
        raise CommandNotRun("sg_persist cannot be run: Resource temporarily unavailable", "swap -s")

    def no_thread(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    by = Claimant("shop", key("shop", "n1"), {}, lambda: True)
    for one in claim_all([A, B], by, 5.0, run).values():
        assert type(one) is FenceFailed and "sg_persist cannot be run" in str(one)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        for one in claim_all([A, B], by, 5.0, array.run_on("n1")).values():
            assert type(one) is NoThread and "no thread can be started" in str(one)
        with pytest.raises(NoThread, match="no thread can be started"):
            device(array).status(5.0)


# ---- disks that hang


def test_a_disk_that_still_hangs_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = tmp_path / "begun"
    tool = tmp_path / "sg_persist"
    tool.write_text(f"#!/bin/sh\necho $$ >> {begun}\nexec sleep 77\n")
    tool.chmod(0o755)
    monkeypatch.setattr(sgpersist, "PATHS", (str(tool),))
    monkeypatch.setattr(os, "killpg", lambda pid, number: None)
    by = Claimant("shop", key("shop", "n1"), {"n1": key("shop", "n1")}, lambda: True)
    first = claim_all((A,), by, 0.3)[A]
    again = claim_all((A,), by, 0.3)[A]
    assert isinstance(first, NoAnswer) and isinstance(again, NoAnswer)
    pids = begun.read_text().split()
    assert len(pids) == 1 and f"ps -fp {pids[0]}" in str(again)
    os.kill(int(pids[0]), signal.SIGKILL)
    end = time.monotonic() + 10
    while unended.about(A):
        assert time.monotonic() < end
    claim_all((A,), by, 0.3)
    later = begun.read_text().split()[1:]
    assert len(later) == 1, "it is asked again when that has ended"
    os.kill(int(later[0]), signal.SIGKILL)


def test_what_goes_wrong_here_is_not_called_the_disks_silence() -> None:
    def broken(argv: Any, timeout_s: float) -> Done:
        raise OSError(24, "Too many open files")

    def full(argv: Any, timeout_s: float) -> Done:
        raise CommandNotRun("sg_persist cannot be run: Too many open files", "pfiles 1")
    by = Claimant("shop", key("shop", "n1"), {}, lambda: True)
    for run, said in ((broken, "not be asked: OSError.*Too many open files"), (full, "cannot be run.*; pfiles 1")):
        found = claim_all((A,), by, 5.0, run)[A]
        assert isinstance(found, FenceFailed) and not isinstance(found, NoAnswer)
        assert re.search(said, str(found))
