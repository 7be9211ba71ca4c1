"""Where the passive holders of this and of earlier configurations are, kept in a file.

A holder that the configuration names no more still votes until the ledger has another set, over a restart too.
"""
import dataclasses
import json
from dataclasses import replace
from typing import Any, Dict, Iterable, Mapping

from sundog.config.install import write_whole
from sundog.config.model import Cluster, DiskHolder, PassiveHolder, WitnessHolder, ZooKeeperHolder
from sundog.errors import ConfigProblem

_KINDS: Mapping[str, Any] = {known.kind: known for known in (DiskHolder, WitnessHolder, ZooKeeperHolder)}


class Racks:
    """`known`: name -> holder. Raises ConfigProblem when the file at `path` is damaged."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.known: Dict[str, PassiveHolder] = {}
        try:
            with open(path, encoding="utf-8") as file:
                self.known = {name: _holder(**spec) for name, spec in json.load(file).items()}
        except FileNotFoundError:
            pass
        except (ValueError, AttributeError, TypeError, KeyError):
            raise ConfigProblem(f"{path}: damaged", f"remove {path}: it is written anew from the configuration"
                                ) from None

    def with_retired(self, cluster: Cluster) -> Cluster:
        """The configuration that this node starts with, and what it knows of those before."""
        earlier = {name: holder for name, holder in self.known.items()
                   if name not in cluster.holders and name not in cluster.beating}
        self.follow(cluster, earlier)
        return replace(cluster, retired=earlier)

    def follow(self, cluster: Cluster, keep: Iterable[str]) -> None:
        """Remember the holders of `cluster`, and of the others those in `keep`; durable when it returns."""
        new = {**{name: self.known[name] for name in keep if name in self.known}, **cluster.holders, **cluster.beating}
        if new != self.known:
            self.known = new
            specs = {name: {"kind": holder.kind, **dataclasses.asdict(holder)}
                     for name, holder in sorted(new.items())}
            write_whole(self._path, json.dumps(specs).encode() + b"\n")


def _holder(kind: str, **values: Any) -> PassiveHolder:
    found: PassiveHolder = _KINDS[kind](**{key: tuple(value) if isinstance(value, list) else value
                                           for key, value in values.items()})
    return found
