"""The configuration of two nodes on two LANs, to which a test adds what it is about."""
from typing import Any

from sundog.config.load import examine
from sundog.config.model import Cluster

TWO = """cluster: shop
nodes:
  n1: {addresses: [10.0.0.1, 10.1.0.1]}
  n2: {addresses: [10.0.0.2, 10.1.0.2]}
links:
  a: {type: lan, network: 10.0.0.0/24}
  b: {type: lan, network: 10.1.0.0/24}
"""
WITNESS = TWO + "quorum: {holders: {w1: {type: witness, address: 10.9.0.9}}}\n"


def read(text: str) -> Any:
    return examine(text, name="c.yaml", types={}, fetch=lambda name: "")


def cluster(text: str) -> Cluster:
    """Of a text without errors."""
    found = read(text)
    assert found.cluster is not None, found.problems
    return found.cluster                                # type: ignore[no-any-return]
