"""What the host's own errors become for the daemon: reasons that it can tell, never its end."""
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from sundog.config.model import Cluster, Group, NodeSpec, Resource
from sundog.daemon.host import ThisHost
from sundog.errors import SundogError
from sundog.resource import exec as exec_type
from sundog.resource import zone


def host_with(resource: Resource) -> "tuple[ThisHost, Cluster]":
    group = Group("web", ("n1",), (resource,))
    return ThisHost(), Cluster("shop", "", {"n1": NodeSpec("n1", ())}, {}, {"web": group})


def test_a_stop_that_finds_no_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    host, cluster = host_with(Resource("server", "exec", (), exec_type.Params(start="true", stop="true")))
    monkeypatch.setattr(os, "posix_spawn", full)
    with pytest.raises(SundogError, match="server cannot be stopped: Resource temporarily unavailable"):
        host.stop_directly(cluster.groups["web"], "server")


def test_a_preflight_that_cannot_read_makes_the_node_unfit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone, "CARRIED", str(tmp_path))
    (tmp_path / "z.cfg").mkdir()
    host, cluster = host_with(Resource("z", "zone", (), zone.Params(zone="z", config="z.cfg")))
    assert host.unfit(cluster, "n1", ()) == {"web": f"z: {tmp_path}/z.cfg: Is a directory"}
