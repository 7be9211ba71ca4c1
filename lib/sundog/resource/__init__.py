"""Resource types: what a group is made of. One module each, loaded when it is asked for.

A module has `Params`, `start(host, p, permit)`, `stop(host, p)`, `probe(host, p) -> State` and `preflight(host, p) ->
List[Problem]`. All are idempotent: start of what is started is success.
"""
from importlib import import_module
from types import ModuleType
from typing import Dict

from sundog.errors import ConfigProblem

TYPES = ("floating-ip", "zpool", "zone", "service", "exec")


def module(type_name: str) -> ModuleType:
    """The module of a type. Raises ConfigProblem."""
    if type_name not in TYPES:
        raise ConfigProblem(f"there is no resource type '{type_name}'", "types are " + ", ".join(TYPES))
    return import_module("sundog.resource." + type_name.replace("-", "_"))


def parameters() -> Dict[str, type]:
    """Type name -> its parameters class, as the configuration reads it."""
    found: Dict[str, type] = {name: module(name).Params for name in TYPES}
    return found
