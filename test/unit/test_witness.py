"""A witness and its nodes over real sockets and files: what is kept, what is refused, and what both sides are told."""
import shutil
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sundog.core.frames import Block
from sundog.core.ledger import Ledger
from sundog.daemon.witness_main import parser
from sundog.errors import SundogError
from sundog.link import proof, witness_messages
from sundog.link.codec import pack
from sundog.link.passive import HolderFailed, HolderRefused
from sundog.link.witness import Witness
from unit.witness_site import KEY, Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.start()
    yield site
    site.end()


def block(writer: str, counter: int) -> Block:
    return Block(writer, (counter, writer), (counter, writer), Ledger(), 1, counter)


def persistent(node: Witness, one: Block) -> Tuple[Block, ...]:
    """As the daemon does it: again until the pause after a failure is over."""
    end = time.monotonic() + 20
    while True:
        try:
            return node.exchange(one)
        except HolderFailed:
            assert time.monotonic() < end


def test_each_node_reads_what_every_node_wrote_last(site: Site) -> None:
    one, two = site.node("n1"), site.node("n2")
    assert one.exchange(block("n1", 1)) == (block("n1", 1),)
    assert two.exchange(block("n2", 1)) == (block("n1", 1), block("n2", 1))
    assert one.exchange(block("n1", 2)) == (block("n1", 2), block("n2", 1))
    assert two.exchange(None) == (block("n1", 2), block("n2", 1))


class Watched:
    """A socket, and how long each sending on it may take."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.patience_s: List[Optional[float]] = []

    def sendall(self, raw: bytes) -> None:
        self.patience_s.append(self.sock.gettimeout())
        self.sock.sendall(raw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


def test_a_request_has_the_time_of_its_own_exchange_and_not_what_the_one_before_has_left(
        site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made: List[Watched] = []
    real = socket.create_connection

    def connect(*where: Any, **more: Any) -> Watched:
        made.append(Watched(real(*where, **more)))
        made[0].settimeout(0.001)
        return made[0]

    monkeypatch.setattr(socket, "create_connection", connect)
    node = site.node("n1")
    node.exchange(block("n1", 1))
    made[0].settimeout(0.001)
    node.exchange(block("n1", 2))
    assert len(made) == 1 and len(made[0].patience_s) == 4
    assert all(patience_s is not None and 1 < patience_s <= 10 for patience_s in made[0].patience_s)


def test_two_clusters_of_one_witness_do_not_see_each_other(site: Site) -> None:
    site.stop()
    site.serve("bank", bytes(32))
    site.start()
    site.node("n1").exchange(block("n1", 1))
    assert site.node("n1", "bank", bytes(32)).exchange(block("n1", 7)) == (block("n1", 7),)


def test_a_witness_that_restarts_keeps_its_blocks_and_its_life(site: Site) -> None:
    one = site.node("n1")
    one.exchange(block("n1", 1))
    life = one.life
    site.stop()
    with pytest.raises(HolderFailed, match="sundogd --witness"):
        one.exchange(block("n1", 2))
    site.start()
    assert persistent(one, block("n1", 3)) == (block("n1", 3),)
    assert site.node("n2").exchange(None) == (block("n1", 3),)
    assert one.life == life


def test_a_witness_with_an_emptied_folder_has_another_life(site: Site) -> None:
    one = site.node("n1")
    one.exchange(block("n1", 1))
    life = one.life
    site.stop()
    shutil.rmtree(site.store / "shop")
    site.start()
    assert persistent(one, block("n1", 2)) == (block("n1", 2),)
    assert one.life not in ("", life)


def test_older_files_put_back_are_noticed_by_who_has_seen_later_ones(site: Site, tmp_path: Path) -> None:
    one = site.node("n1")
    one.exchange(block("n1", 1))
    site.stop()
    shutil.copytree(site.store, tmp_path / "backup")
    site.start()
    for counter in (2, 3, 4):
        persistent(one, block("n1", counter))
    site.stop()
    shutil.rmtree(site.store)
    shutil.copytree(tmp_path / "backup", site.store)
    site.start()
    with pytest.raises(HolderRefused, match="gone back.*remove the folder of shop"):
        persistent(one, block("n1", 5))
    assert any("lost or put back" in line for line in site.said)


def test_another_key_is_refused_on_both_sides(site: Site) -> None:
    with pytest.raises(HolderRefused, match="another key.*same key file.*clusters.shop"):
        site.node("n1", key=bytes(32)).exchange(block("n1", 1))
    said = until_said(site, "another key")
    assert "cluster shop" in said and "n1" in said


def until_said(site: Site, what: str) -> str:
    end = time.monotonic() + 10
    while not any(what in line for line in site.said):
        assert time.monotonic() < end, site.said
        time.sleep(0.01)
    return next(line for line in site.said if what in line)


def test_a_node_without_the_key_is_not_let_in_even_if_it_says_nothing_of_the_witness(site: Site) -> None:
    said = proof.hello("shop")
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as sock:
        sock.sendall(said)
        assert receive(sock)[:1] == proof.PROOF
        sock.sendall(proof.framed(proof.PROOF + bytes(32) + b"n1"))
        refused = receive(sock)
    assert refused[:1] == proof.REFUSAL and b"same key file" in refused


def receive(sock: socket.socket) -> bytes:
    size = proof.LENGTH.unpack(sock.recv(4, socket.MSG_WAITALL))[0]
    return sock.recv(size, socket.MSG_WAITALL)


def test_a_cluster_that_it_does_not_serve_is_refused_with_what_to_do(site: Site) -> None:
    with pytest.raises(HolderRefused, match="does not serve that cluster; add it to clusters"):
        site.node("n1", "bank").exchange(block("n1", 1))
    assert "does not serve" in until_said(site, "does not serve")


def test_who_asks_all_the_time_while_it_is_refused_is_served_when_the_mistake_is_mended(site: Site) -> None:
    node = site.node("n1", "bank", bytes(32))
    with pytest.raises(HolderRefused):
        node.exchange(block("n1", 1))
    site.stop()
    site.serve("bank", bytes(32))
    site.start()
    end = time.monotonic() + 20
    while True:
        try:
            assert node.exchange(block("n1", 1)) == (block("n1", 1),)
            return
        except (HolderRefused, HolderFailed) as error:
            assert time.monotonic() < end, error


def test_a_newer_protocol_is_refused_with_what_to_do(site: Site) -> None:
    newer = bytearray(proof.hello("shop"))
    newer[7] = 2
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as sock:
        sock.sendall(newer)
        assert b"speaks version 1, the node version 2; install" in receive(sock)


def test_what_was_recorded_of_one_connection_is_of_no_use_on_another(site: Site) -> None:
    said = proof.hello("shop")
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as sock:
        sock.sendall(said)
        challenged = receive(sock)
        answered = proof.answer(KEY, said, challenged, "n1")
        to_witness, to_node = proof.seals(KEY, said, challenged, "n1")
        request = to_witness.seal(witness_messages.request(0, pack(block("n1", 9))))
        sock.sendall(proof.framed(answered) + proof.framed(request))
        assert b"n1" in to_node.open(receive(sock))
        sock.sendall(proof.framed(request))                     # the same once more
        assert sock.recv(1) == b""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as sock:
        sock.sendall(said)
        assert receive(sock) != challenged
        sock.sendall(proof.framed(answered) + proof.framed(request))
        assert receive(sock)[:1] == proof.REFUSAL


def test_a_newer_connection_of_a_node_ends_the_older(site: Site) -> None:
    old, new = site.node("n1"), site.node("n1")
    old.exchange(block("n1", 1))
    new.exchange(block("n1", 2))
    with pytest.raises(SundogError):
        old.exchange(block("n1", 1))
    assert new.exchange(None) == (block("n1", 2),)


@pytest.mark.timeout(120)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=300), head=st.sampled_from([b"", b"hello", b"proven"]))
def test_garbage_on_the_port_does_no_harm(site: Site, noise: bytes, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as sock:
        if head:
            said = proof.hello("shop")
            sock.sendall(said)
            challenged = receive(sock)
            if head == b"proven":
                sock.sendall(proof.framed(proof.answer(KEY, said, challenged, "n9")))
        sock.sendall(noise)
    assert block("n1", 1) in site.node("n1").exchange(block("n1", 1))
    assert not any("Traceback" in line for line in site.said)


def test_a_message_that_claims_to_be_huge_is_not_waited_for(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as sock:
        sock.sendall(proof.hello("shop"))
        receive(sock)
        sock.sendall(struct.pack(">I", 0x7fffffff))
        assert sock.recv(1) == b""


@given(st.binary(max_size=200))
def test_an_answer_is_whole_or_refused(noise: bytes) -> None:
    try:
        witness_messages.answered(noise)
    except proof.NotProven:
        pass


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), st.binary(max_size=40), max_size=5))
def test_an_answer_comes_back_as_it_was(blocks) -> None:
    kept = witness_messages.Kept("0123456789abcdef", 7, blocks)
    assert witness_messages.answered(witness_messages.answer(kept)) == kept


def test_damaged_files_of_one_cluster_leave_the_others_served(site: Site) -> None:
    site.node("n1").exchange(block("n1", 1))
    site.stop()
    (site.store / "shop" / "n1.block").write_bytes(b"y" * 200)
    site.serve("bank", bytes(32))
    site.start()
    assert site.node("n1", "bank", bytes(32)).exchange(block("n1", 7)) == (block("n1", 7),)
    with pytest.raises(HolderRefused, match="cannot use its files of that cluster"):
        site.node("n1").exchange(block("n1", 2))
    assert any("cluster shop is not served: " in line and "remove" in line for line in site.said)


def test_a_folder_that_cannot_be_opened_leaves_the_others_served_and_is_tried_again(
        site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sundog.daemon.witness._AGAIN_S", 0.05)
    site.stop()
    site.serve("bank", bytes(32))
    (site.store / "bank").write_text("in the way")
    site.start()
    assert site.node("n1").exchange(block("n1", 1)) == (block("n1", 1),)
    with pytest.raises(HolderRefused, match="cannot use its files of that cluster"):
        site.node("n1", "bank", bytes(32)).exchange(block("n1", 7))
    assert f"{site.store}/bank: " in until_said(site, "cluster bank is not served: ")
    (site.store / "bank").unlink()
    until_said(site, "cluster bank is served: life ")
    assert site.node("n1", "bank", bytes(32)).exchange(block("n1", 7)) == (block("n1", 7),)


WITNESS = """
listen: 127.0.0.1:{port}
directory: {site.store}
clusters:
  shop: {{key_file: {site.folder}/shop.key}}
"""


def test_two_witnesses_do_not_serve_one_directory(site: Site) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = site.folder / "witness.yaml"
    file.write_text(WITNESS.format(port=port, site=site))
    second = [sys.executable, "-m", "sundog.daemon.start", "--witness", "--config", str(file)]
    refused = subprocess.run(second, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert refused.returncode == 96
    assert f"another witness serves {site.store}; end it, or give each witness.yaml a directory" in refused.stderr
    assert site.node("n1").exchange(block("n1", 1)) == (block("n1", 1),)
    site.stop()
    with subprocess.Popen(second, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None and "witness of shop" in process.stderr.readline()
        process.terminate()
        assert process.wait(20) == 0


def test_a_directory_that_is_none_is_tried_again_by_whoever_runs_the_witness(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.write_text("in the way")
    file = tmp_path / "witness.yaml"
    file.write_text(WITNESS.format(port=3122, site=site))
    done = subprocess.run([sys.executable, "-m", "sundog.daemon.start", "--witness", "--config", str(file)],
                          stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    assert done.returncode == 1 and f"{site.store}: File exists; ls -ld {site.store}" in done.stderr
def test_the_help_says_what_the_exit_statuses_mean() -> None:
    text = parser().format_help()
    assert "exit status: 0 " in text and "96 the file or a key is wrong" in text and "--check" in text
