"""A holder comes into the text of a configuration, or goes, and nothing else of the text changes."""
import re
from typing import Mapping

import pytest

from sundog.config.edit import CannotEdit, with_holder, without_holder
from sundog.config.load import parse
from sundog.config.model import Cluster

HEAD = """\
# the shop's cluster
cluster: shop   # its name
nodes: {n1: {addresses: [10.0.0.1]}, n2: {addresses: [10.0.0.2]}}
links:
  lan: {type: lan, network: 10.0.0.0/24}   # only one
"""
TAIL = """\
# and the groups
groups: {}
"""
SPEC = "{type: disk, device: /dev/rdsk/c2}"
QUORUMS = {
    "none": "",
    "block": "quorum:\n  # third vote\n  holders:\n    disk1:   # old\n      type: disk\n"
             "      device: /dev/rdsk/c1   # here\n    # no more\n\n",
    "one line each": "quorum:\n  holders:\n    disk0: {type: disk, device: /dev/rdsk/c0}  # a\n"
                     "    disk1: {type: disk, device: /dev/rdsk/c1}  # b\n",
    "flow": "quorum: {holders: {disk1: {type: disk, device: /dev/rdsk/c1}}, arbiter: none}\n",
    "flow of two": "quorum: {holders: {disk1: {type: disk, device: /dev/rdsk/c1},\n"
                   "                   disk0: {type: disk, device: /dev/rdsk/c0}}}\n",
    "no holders": "quorum:\n  arbiter: none   # none\n",
    "empty holders": "quorum:\n  holders: {}\n  arbiter: none\n",
    "flow without holders": "quorum: {arbiter: none}\n",
    "holders in between": "quorum:\n  holders:\n    disk1: {type: disk, device: /dev/rdsk/c1}\n  arbiter: none\n",
}
WITH_DISK1 = [name for name, text in QUORUMS.items() if "disk1" in text]


def read(text: str) -> Cluster:
    types: Mapping[str, type] = {}
    return parse(text, name="c.yaml", types=types, files={})


@pytest.mark.parametrize("quorum", QUORUMS)
@pytest.mark.parametrize("tail", ["", TAIL])
def test_a_holder_is_added_and_every_word_that_was_there_is_there_still(quorum: str, tail: str) -> None:
    text = HEAD + QUORUMS[quorum] + tail
    new = with_holder(text, "disk2", SPEC)
    before, after = read(text), read(new)
    assert dict(after.holders).pop("disk2").device == "/dev/rdsk/c2"
    assert {name: one for name, one in after.holders.items() if name != "disk2"} == before.holders
    assert set(re.findall(r"[\w./'-]+", text)) <= set(re.findall(r"[\w./'-]+", new))
    assert new.count("#") == text.count("#")


@pytest.mark.parametrize("quorum", WITH_DISK1)
def test_a_holder_is_taken_out_and_the_others_stay(quorum: str) -> None:
    text = HEAD + QUORUMS[quorum] + TAIL
    new = without_holder(text, "disk1")
    assert set(read(new).holders) == set(read(text).holders) - {"disk1"}
    assert new.startswith(HEAD) and new.endswith(TAIL)


@pytest.mark.parametrize("quorum", QUORUMS)
def test_what_was_added_can_be_taken_out_again(quorum: str) -> None:
    text = HEAD + QUORUMS[quorum] + TAIL
    assert read(without_holder(with_holder(text, "disk2", SPEC), "disk2")).holders == read(text).holders


def test_a_holder_that_is_not_there_cannot_be_taken_out() -> None:
    with pytest.raises(CannotEdit, match="no vote holder disk9"):
        without_holder(HEAD + TAIL, "disk9")
