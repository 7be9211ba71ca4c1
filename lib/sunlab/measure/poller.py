"""A client that asks a service a question every few milliseconds and notes each answer with its time.

Run inside a client's network namespace: `python -m sunlab.measure.poller --every 0.01 --out FILE web=10.0.0.100:80 …`.
Every poll is a new TCP connection, so an answer proves that the address, the service and (for a write) the disk behind
it work at that moment. Every `--write-each`-th poll is a write that the server acknowledges only after an fsync.
Output, one JSON object a line: {"at": seconds since the epoch when the poll was sent, "done": when it was answered,
"service", "n": number of the write or null, "ok": bool, "by": who answered}. It ends on SIGTERM.
"""
import argparse
import asyncio
import json
import signal
import time
from typing import IO, Dict, List, Optional, Set, Tuple

PATIENCE_S = 0.5        # an answer later than this counts as none


async def ask(host: str, port: int, number: Optional[int]) -> str:
    """One request over one connection; the body of the answer. Raises OSError, ValueError or asyncio.TimeoutError."""
    request = "GET / HTTP/1.0\r\n\r\n" if number is None else f"POST /{number} HTTP/1.0\r\nContent-Length: 0\r\n\r\n"
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request.encode())
        answer = (await reader.read()).decode()
    finally:
        writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    if " 200 " not in head.split("\r\n")[0]:
        raise ValueError(f"answered {head[:40]!r}")
    return body.strip()


class Poller:
    """Polls every service on schedule, however long single answers take."""

    def __init__(self, services: Dict[str, Tuple[str, int]], every_s: float, write_each: int, out: IO[str]) -> None:
        self.services = services
        self.every_s = every_s
        self.write_each = write_each
        self.out = out
        self.running: Set["asyncio.Task[None]"] = set()
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        begun = loop.time()
        turn = 0
        while not self.stopping.is_set():
            for service in self.services:
                write = turn if turn % self.write_each == 0 else None
                task = loop.create_task(self.poll(service, write))
                self.running.add(task)
                task.add_done_callback(self.running.discard)
            turn += 1
            wait = max(0.0, begun + turn * self.every_s - loop.time())
            try:
                await asyncio.wait_for(self.stopping.wait(), wait)
            except asyncio.TimeoutError:
                pass
        if self.running:
            await asyncio.wait(self.running)

    async def poll(self, service: str, number: Optional[int]) -> None:
        at = time.time()
        host, port = self.services[service]
        try:
            by = await asyncio.wait_for(ask(host, port, number), PATIENCE_S)
            ok = True
        except (OSError, ValueError, asyncio.TimeoutError) as problem:
            by, ok = str(problem) or type(problem).__name__, False
        line = {"at": at, "done": time.time(), "service": service, "n": number, "ok": ok, "by": by}
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()


def services_of(words: List[str]) -> Dict[str, Tuple[str, int]]:
    """`name=host:port` words; raises ValueError on any other form."""
    found = {}
    for word in words:
        name, _, where = word.partition("=")
        host, _, port = where.rpartition(":")
        if not (name and host and port.isdigit()):
            raise ValueError(f"{word!r} is not NAME=HOST:PORT")
        found[name] = (host.strip("[]"), int(port))
    return found


async def poll_all(options: argparse.Namespace) -> None:
    with open(options.out, "w", encoding="utf-8") as out:
        await Poller(services_of(options.service), options.every, options.write_each, out).run()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--every", type=float, default=0.01, help="seconds between polls")
    parser.add_argument("--write-each", type=int, default=5, help="every how many polls is a write")
    parser.add_argument("--out", required=True)
    parser.add_argument("service", nargs="+", help="NAME=HOST:PORT")
    asyncio.run(poll_all(parser.parse_args()))


if __name__ == "__main__":
    main()
