"""Connections and descriptors: what strangers may cost, and that their lack ends nobody."""
import asyncio
import os
import resource
import socket
import subprocess
import sys
from typing import Any, Dict, List

import pytest

from sundog.daemon.door import MOST_UNPROVEN, Door, could_not_accept

RAISED = """
import resource, sys
from sundog.daemon.door import raise_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[1])))
raise_limit()
raise_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize("hard", [64, 512])
def test_a_process_may_open_what_its_hard_limit_allows(hard: int) -> None:
    done = subprocess.run([sys.executable, "-c", RAISED, str(hard)], stdout=subprocess.PIPE, text=True, check=True,
                          timeout=30)
    assert done.stdout.split() == [str(hard), str(hard)]


def test_a_door_is_full_of_those_who_have_proven_nothing() -> None:
    async def scene() -> None:
        door, proof = Door(), asyncio.get_running_loop().create_future()
        waiting = [asyncio.ensure_future(door.proven(asyncio.shield(proof))) for _ in range(MOST_UNPROVEN)]
        await asyncio.sleep(0)
        assert door.full
        waiting[0].cancel()
        await asyncio.wait(waiting[:1])
        assert not door.full
        proof.set_result(7)
        assert await asyncio.gather(*waiting[1:]) == [7] * (MOST_UNPROVEN - 1)
        assert not door.full
    asyncio.run(asyncio.wait_for(scene(), 20))


def test_what_the_event_loop_tells_of_an_accept_without_descriptors_is_known_by_its_look() -> None:
    told: List[Dict[str, Any]] = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: told.append(context))
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.3.9", 0)
        clients = [socket.socket() for _ in range(3)]
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            for client in clients:
                client.connect(server.sockets[0].getsockname())
            while not told:
                await asyncio.sleep(0.01)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for client in clients:
            client.settimeout(10)
            assert await loop.run_in_executor(None, client.recv, 1) == b"", "it is accepted after all"
            client.close()
        # asyncio has a timer for each refusal, which takes a server for open.
        await asyncio.sleep(0.3)
        server.close()
    asyncio.run(asyncio.wait_for(scene(), 20))
    assert [one for one in told if not could_not_accept(one)] == []


@pytest.mark.parametrize("context", [
    {"message": "a task of the daemon", "exception": OSError(24, "Too many open files")},
    {"message": "socket.accept() out of system resource", "exception": ValueError("a defect"), "socket": None},
    {"message": "a task of the daemon", "exception": OSError(24, "Too many open files"), "socket": None},
    {"message": "no exception at all"}])
def test_everything_else_is_a_defect(context: Dict[str, Any]) -> None:
    assert not could_not_accept(context)
