"""The configuration on its way between nodes: only who has the key gets it, only what was asked for is taken."""
import asyncio
import socket

import pytest

from sundog.config.model import Cluster
from sundog.daemon.bundle import Bundle, BundleServer, FetchFailed, Shelf, fetch, unpacked
from sundog.daemon.door import MOST_UNPROVEN
from sundog.errors import ConfigProblem

KEY = bytes(range(32))
OURS = Bundle("cluster: shop\n", {"zones/web1.cfg": "create -b\n"})


def serving(tmp_path) -> BundleServer:
    shelf = Shelf(str(tmp_path / "kept"), str(tmp_path / "etc"))
    return BundleServer(asyncio.get_running_loop(), shelf, KEY, OURS)


def fetched(tmp_path, digest: str, key: bytes = KEY) -> Bundle:
    async def scene() -> Bundle:
        server = serving(tmp_path)
        await server.open([("127.0.3.1", 0)])
        port = server._servers[0].sockets[0].getsockname()[1]    # type: ignore[attr-defined]
        try:
            return await fetch([("127.0.3.1", port)], key, digest)
        finally:
            await server.close()
    return asyncio.run(asyncio.wait_for(scene(), 10))


def test_the_digest_is_the_one_that_the_ledger_names():
    assert OURS.digest == Cluster("shop", "", {}, {}, {}, source=OURS.source, files=OURS.files).digest


def test_a_node_gets_what_it_asks_for(tmp_path):
    assert fetched(tmp_path, OURS.digest) == OURS


def test_who_has_another_key_gets_nothing(tmp_path):
    with pytest.raises(FetchFailed):
        fetched(tmp_path, OURS.digest, bytes(32))


def test_what_is_not_there_is_said_to_be_not_there(tmp_path):
    with pytest.raises(FetchFailed, match="has not got it"):
        fetched(tmp_path, "00" * 32)


def test_another_bundle_than_asked_for_is_not_taken():
    with pytest.raises(FetchFailed, match="another configuration"):
        unpacked(Bundle("cluster: bank\n").packed(), OURS.digest)


def test_an_installed_bundle_is_where_everybody_looks_for_it(tmp_path):
    shelf = Shelf(str(tmp_path / "kept"), str(tmp_path / "etc"))
    shelf.put(Bundle("older"))
    shelf.put(OURS)
    (tmp_path / "etc").mkdir()
    shelf.install(OURS)
    assert (tmp_path / "etc/cluster.yaml").read_text() == OURS.source
    for path in ("etc/zones/web1.cfg", "etc/files/zones/web1.cfg"):
        assert (tmp_path / path).read_text() == "create -b\n"
    shelf.clear(keep=[OURS.digest])
    assert shelf.get(OURS.digest) == OURS
    assert shelf.get(Bundle("older").digest) is None


def test_a_shelf_that_cannot_be_cleared_stands_in_nobodys_way(tmp_path):
    shelf = Shelf(str(tmp_path / "kept"), str(tmp_path / "etc"))
    shelf.clear(keep=[])
    shelf.put(Bundle("older"))
    (tmp_path / "kept/a").mkdir()
    shelf.clear(keep=[])


def test_an_address_that_comes_later_is_listened_on(tmp_path, monkeypatch):
    monkeypatch.setattr("sundog.daemon.bundle._BIND_AGAIN_S", 0.02)

    async def scene() -> None:
        server = serving(tmp_path)
        with socket.create_server(("127.0.3.2", 0)) as other:
            seat = other.getsockname()
            await server.open([seat, ("127.0.3.3", seat[1])])
            assert await fetch([("127.0.3.3", seat[1])], KEY, OURS.digest) == OURS
        await until_fetched(seat)
        await server.close()
    asyncio.run(asyncio.wait_for(scene(), 20))


def test_a_server_that_is_closed_waits_for_no_address(tmp_path):
    async def scene() -> None:
        server = serving(tmp_path)
        with socket.create_server(("127.0.3.2", 0)) as other:
            before = asyncio.all_tasks()
            await server.open([other.getsockname()])
            waiting = asyncio.all_tasks() - before
            assert waiting
            await server.close()
            await asyncio.wait(waiting, timeout=10)
            assert asyncio.all_tasks() == before
    asyncio.run(asyncio.wait_for(scene(), 20))


async def until_fetched(seat) -> None:
    while True:
        try:
            assert await fetch([seat], KEY, OURS.digest) == OURS
            return
        except FetchFailed:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["../key", "/etc/passwd", "zones/../../x", ""])
def test_a_file_name_cannot_lead_out_of_the_directory(tmp_path, name):
    (tmp_path / "etc").mkdir()
    with pytest.raises(ConfigProblem, match="not a path inside"):
        Shelf(str(tmp_path / "kept"), str(tmp_path / "etc")).install(Bundle("x", {name: "text"}))


def test_who_proves_nothing_takes_no_more_than_some_connections(tmp_path):
    async def scene() -> None:
        server = serving(tmp_path)
        await server.open([("127.0.3.1", 0)])
        seat = server._servers[0].sockets[0].getsockname()  # type: ignore[attr-defined]
        strangers = [await asyncio.open_connection(*seat) for _ in range(MOST_UNPROVEN)]
        for reader, _ in strangers:
            assert len(await reader.readexactly(32)) == 32
        with pytest.raises(FetchFailed):
            await fetch([seat], KEY, OURS.digest)
        strangers.pop()[1].close()
        await until_fetched(seat)
        for _, writer in strangers:
            writer.close()
        await server.close()
    asyncio.run(asyncio.wait_for(scene(), 20))
