"""Frames: what goes in comes out; anything else is a FrameError with the right reason, and nothing else."""
import json
import zlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sundog.core import frames
from sundog.core.ledger import Failure, GroupEntry, Ledger, Member
from sundog.link.codec import LARGEST, FrameError, pack, pack_body, unpack, unpack_body
from sundog.link.frame import NO_SESSION, Frame, FrameTooLarge, cluster_id, seal, unseal

KEY = bytes(range(32))
SHOP = cluster_id("shop")

names = st.text(min_size=1, max_size=12)
texts = st.text(max_size=30)
numbers = st.integers(0, 2**40)
times = st.floats(allow_nan=False, allow_infinity=False)
ballots = st.tuples(numbers, names)
entries = st.builds(GroupEntry, state=texts, owner=st.none() | names, epoch=numbers, boot_id=texts, force=st.booleans(),
                    why=texts, wanted=texts, target=st.none() | names,
                    failures=st.lists(st.builds(Failure, names, numbers, texts), max_size=3).map(tuple))
ledgers = st.builds(Ledger, numbers, numbers, texts, st.dictionaries(names, st.builds(Member, texts, numbers, texts)),
                    st.dictionaries(names, entries, max_size=4))
blocks = st.builds(frames.Block, names, ballots, ballots, st.none() | ledgers, numbers, numbers, numbers)
reports = st.builds(frames.GroupReport, names, numbers, texts, texts)
bodies = st.one_of(
    st.builds(frames.Heartbeat, numbers, times, numbers, texts, st.lists(reports, max_size=3).map(tuple),
              st.none() | st.dictionaries(names, texts, max_size=3)),
    st.builds(frames.Grant, numbers, times, times, ballots, numbers),
    st.builds(frames.Refused, texts, texts, st.booleans(), texts),
    st.builds(frames.Elected, ballots, numbers),
    st.builds(frames.LedgerIs, ledgers, ballots),
    st.builds(frames.Write, numbers, blocks),
    st.builds(frames.Blocks, numbers, st.booleans(), st.lists(blocks, max_size=3).map(tuple), st.booleans(), times,
              st.none() | times),
    st.builds(frames.Ask, texts, texts, texts, texts, texts),
    st.builds(frames.Told, texts, st.booleans(), texts, texts))
sealed = st.builds(Frame, names, texts, st.integers(0, 2**32 - 1), st.binary(min_size=8, max_size=8),
                   st.binary(min_size=8, max_size=8), numbers, st.just(b"") | bodies.map(pack_body))


def frame(body: Any = None) -> Frame:
    return Frame("n1", "b" * 32, 3, b"session1", NO_SESSION, 7, pack_body(body) if body else b"")


def reason(datagram: bytes, key: bytes = KEY, cluster: bytes = SHOP) -> str:
    with pytest.raises(FrameError) as caught:
        unseal(datagram, cluster, key)
    return caught.value.reason


@given(sealed)
def test_a_frame_comes_out_as_it_went_in(sent):
    assert unseal(seal(sent, SHOP, KEY), SHOP, KEY) == sent


@given(bodies)
def test_a_body_comes_out_as_it_went_in(body):
    assert unpack_body(pack_body(body)) == body


@given(st.binary(max_size=300))
@example(b"SDOG")
@example(b"")
def test_any_bytes_are_a_frame_error_and_nothing_else(datagram):
    assert reason(datagram) in ("garbage", "unknown", "key")


@given(sealed, st.data())
def test_a_flipped_bit_anywhere_is_dropped(sent, data):
    datagram = bytearray(seal(sent, SHOP, KEY))
    bit = data.draw(st.integers(0, len(datagram) * 8 - 1))
    datagram[bit // 8] ^= 1 << bit % 8
    assert reason(bytes(datagram)) in ("garbage", "unknown", "key")


@given(sealed, st.data())
def test_a_frame_cut_short_is_dropped(sent, data):
    datagram = seal(sent, SHOP, KEY)
    assert reason(datagram[:data.draw(st.integers(0, len(datagram) - 1))]) in ("garbage", "key")


def test_another_key_is_told_from_another_cluster():
    assert reason(seal(frame(), SHOP, bytes(32))) == "key"
    assert reason(seal(frame(), cluster_id("bank"), KEY)) == "unknown"


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | texts,
                           lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
                           max_leaves=12)
body_names = st.sampled_from(["Heartbeat", "Grant", "Refused", "Elected", "LedgerIs", "Write", "Blocks", "Ask", "Told",
                              "Ledger", ""])


@given(body_names, json_values)
def test_authentic_nonsense_is_a_frame_error_too(name, value):
    for packed in (b"j" + json.dumps([name, value]).encode(), b"z" + zlib.compress(json.dumps([name, value]).encode())):
        try:
            body = unpack_body(packed)
        except FrameError:
            continue
        assert type(body).__name__ == name


@given(st.binary(max_size=100))
def test_an_authentic_body_of_any_bytes_is_a_frame_error(packed):
    for form in (b"", b"j", b"z"):
        with pytest.raises(FrameError):
            unpack_body(form + packed)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 10_000, '["Told",["a",1,"b","c"]]', '["Told",["a",true,"b"]]',
                                  '["Elected",[[1],2]]', '["Elected",[[true,"n1"],2]]', '["Grant",[1,NaN,1,[1,"a"],1]]',
                                  '["Grant",[1,1e999,1,[1,"a"],1]]', '{"Told":1}', '["Told"]'])
def test_what_does_not_fit_its_class_exactly_is_refused(text):
    with pytest.raises(FrameError):
        unpack_body(b"j" + text.encode())


def test_a_text_that_unpacks_to_more_than_bearable_is_refused():
    with pytest.raises(FrameError):
        unpack_body(b"z" + zlib.compress(b" " * (LARGEST + 1)))


def test_a_ledger_of_a_hundred_groups_fits_into_a_datagram():
    entry = GroupEntry("online", "n1", 12, "b" * 32, True, "n2 was silent for 2.1 s on all links",
                       failures=(Failure("n2", 1, "x"),))
    members = {f"n{n}": Member("b" * 32, 1, "00bab10c") for n in range(32)}
    ledger = Ledger(9, 1, "d" * 64, members, {f"group{n}": entry for n in range(100)})
    assert len(seal(frame(frames.LedgerIs(ledger, (4, "n1"))), SHOP, KEY)) < 10_000


def test_a_body_too_large_for_a_datagram_is_refused_loudly():
    noise = "".join(chr(0x4e00 + (n * 7919 + n * n) % 20000) for n in range(60_000))
    with pytest.raises(FrameTooLarge, match="larger than a datagram"):
        seal(frame(frames.Told("a", True, noise)), SHOP, KEY)


@given(blocks)
@settings(max_examples=50)
def test_a_block_packs_and_unpacks(block):
    assert unpack(frames.Block, pack(block)) == block


def test_a_heartbeat_costs_little():
    beat = frames.Heartbeat(1234, 98765.4321, 12, "00bab10c", (frames.GroupReport("web", 3, "online"),))
    assert len(pack_body(beat)) < 100
