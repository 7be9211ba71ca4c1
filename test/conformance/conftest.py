"""Fixtures of the conformance suite: the host under test, and services that are gone after the case."""
import itertools
import os
import random
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest

from conformance.target import LabTarget, LocalTarget, Target
from conformance.zone import Zone
from sunlab.lab import Lab

HERE = Path(__file__).parent
NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def hosts(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Target]]:
    """By platform; a lab host is built when it is first asked for."""
    local = request.config.getoption("--target") == "local"
    made: Dict[str, Target] = {}
    with ExitStack() as stack:
        def host(platform: str) -> Target:
            if platform not in made:
                made[platform] = LocalTarget() if local else stack.enter_context(build(platform))
            return made[platform]
        yield host


class build:
    """A lab of one host, as a context."""

    def __init__(self, platform: str) -> None:
        self.platform = platform

    def __enter__(self) -> Target:
        self.lab = Lab.up({
            "lab": f"c{'s' if self.platform.startswith('sol') else 'i'}{os.getpid()}",
            "networks": {"public": {"subnet": "10.86.0.0/24"}}, "disks": {"c0t1d0s0": {"size": "64M"}},
            "nodes": {"n1": {"addresses": {"public": "10.86.0.1/24"}, "platform": self.platform},
                      "n2": {"addresses": {"public": "10.86.0.2/24"}, "platform": self.platform}}})
        try:
            for node in ("n1", "n2"):
                self.lab.wait_booted(node)
        except BaseException:
            self.lab.down()
            raise
        return LabTarget(self.lab, "n1", self.platform)

    def __exit__(self, *_: object) -> None:
        self.lab.down()


@pytest.fixture
def host(request: pytest.FixtureRequest, hosts: Callable[[str], Target]) -> Target:
    """The host under test; of the platform that the case names, else illumos (with --target local: this one)."""
    wanted = getattr(request, "param", None)
    found = hosts(wanted or "illumos")
    if wanted is not None and found.platform != wanted:
        pytest.skip(f"this host is {found.platform}")
    return found


@pytest.fixture
def lone(hosts: Callable[[str], Target], request: pytest.FixtureRequest) -> Target:
    """A host on which nothing else goes on: for what concerns all of its services. Not this very host."""
    if request.config.getoption("--target") == "local":
        pytest.skip("it would take down what this host is for")
    host = hosts("illumos")
    assert isinstance(host, LabTarget)
    return LabTarget(host.lab, "n2", host.platform)


@pytest.fixture
def lone_zfs(host: Target) -> Target:
    """A host that has no pool; the cases of one platform run one after the other, each with its own pool."""
    if host.run("zpool list -Ho name").out.replace("no pools available\n", ""):
        pytest.skip("this host has pools")
    return host


@pytest.fixture
def service(host: Target) -> Iterator[Callable[..., str]]:
    """Makes services that are deleted after the case: service(body) -> its short name."""
    made: List[str] = []

    def make(body: str, name: str = "") -> str:
        name = name or f"t{os.getpid()}-{next(NUMBERS)}"
        made.append(name)
        host.load(name, body)
        return name
    yield make
    for name in reversed(made):
        host.unload(name)


@pytest.fixture(scope="session")
def installed(hosts: Callable[[str], Target]) -> Iterator[Callable[[Target], Zone]]:
    made: Dict[str, Zone] = {}

    def zone(host: Target) -> Zone:
        if host.platform not in made:
            one = made[host.platform] = Zone(host, f"conf-z{os.getpid()}")
            host.do(f"mkdir -p {host.zones}; chmod 700 {host.zones}")
            one.configure()
            one.adm("install")
        return made[host.platform]
    yield zone
    for one in made.values():
        one.host.run(f"zoneadm -z {one.name} halt")
        one.host.do(f"zoneadm -z {one.name} uninstall -F; zonecfg -z {one.name} delete -F")


@pytest.fixture
def zone(host: Target, installed: Callable[[Target], Zone]) -> Iterator[Zone]:
    one = installed(host)
    one.rest()
    yield one
    one.rest()


@pytest.fixture
def zone_name(host: Target) -> Iterator[str]:
    """Of a zone that the case may configure."""
    found = f"conf-c{os.getpid()}-{next(NUMBERS)}"
    yield found
    host.run(f"zonecfg -z {found} delete -F")


def pytest_collection_modifyitems(config: pytest.Config, items: List[Any]) -> None:
    mine = [at for at, item in enumerate(items) if HERE in item.path.parents]
    name_all([items[at] for at in mine])
    seed = config.getoption("--shuffle")
    if seed is not None:
        mixed = [items[at] for at in mine]
        random.Random(seed).shuffle(mixed)
        for at, item in zip(mine, mixed):
            items[at] = item


def name_all(items: List[Any]) -> None:
    """Every case has a row of its own. Raises UsageError."""
    taken: Dict[str, str] = {}
    for item in items:
        marker = item.get_closest_marker("row")
        case = f"{item.path.name}::{item.originalname}"
        if marker is None:
            raise pytest.UsageError(f"{case}: which row is it? give it @row(NAME, SOURCE)")
        if taken.setdefault(marker.args[0], case) != case:
            raise pytest.UsageError(f"{case}: row {marker.args[0]} is that of {taken[marker.args[0]]}")
