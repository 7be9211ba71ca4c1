"""The board under a node's controller: a daemon on the host that runs ipmi_sim and does what it wants done.

usage: python -m sunlab.bmc.board LAB NODE; prints `ready` when the controller answers.
ipmi_sim asks for the chassis by a program that speaks to this daemon's socket, a line each way. What its watchdog does
comes by the serial line between a virtual machine and its controller (OpenIPMI, lanserv/README.vm).
"""
import os
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Callable, Dict, Iterator, Optional

from sunlab import cgroups, linux, network
from sunlab.bmc import redfish, simulator
from sunlab.bmc.chassis import Chassis, Refused
from sunlab.lab import ENTER
from sunlab.places import Places
from sunlab.spec import Spec

_END_OF_MESSAGE, _END_OF_COMMAND, _ESCAPE = 0xA0, 0xA1, 0xAA
_VERSION, _CAPABILITIES, _POWEROFF, _RESET, _BUTTON = 0xFF, 0x08, 0x03, 0x04, 0x09
#: Protocol version 1; the board can be switched off (1) and reset (2), and has a power button (20h).
_HELLO = bytes((_VERSION, 1, _END_OF_COMMAND, _CAPABILITIES, 0x01 | 0x02 | 0x20, _END_OF_COMMAND))


def commands(stream: IO[bytes]) -> Iterator[int]:
    """The first byte of each command that the controller sends; messages to the host's system interface are let by."""
    frame = bytearray()
    escaped = False
    while True:
        byte = stream.read(1)
        if not byte:
            return
        value = byte[0]
        if value == _ESCAPE:
            escaped = True
        elif value in (_END_OF_MESSAGE, _END_OF_COMMAND):
            if value == _END_OF_COMMAND and frame:
                yield frame[0]
            frame.clear()
        else:
            frame.append(value & ~0x10 if escaped else value)
            escaped = False


def answer(chassis: Chassis, line: str) -> str:
    """To a line of ipmi_sim's chassis program (lanserv's extcmd): `NAME:VALUE` for get, an empty line for set."""
    doings: Dict[str, Callable[[], None]] = {"power 0": chassis.off, "power 1": chassis.on,
                                             "reset 1": chassis.reset, "shutdown 1": chassis.button}
    verb, _, what = line.partition(" ")
    if (verb, what) == ("get", "power"):
        return f"power:{int(chassis.is_on())}"
    if verb != "set" or what not in doings:
        return f"error: not modelled: {line}"
    try:
        doings[what]()
    except Refused as problem:
        return f"error: {problem}"
    return ""


class Asked(socketserver.StreamRequestHandler):
    chassis: Chassis            # set before the server is made

    def handle(self) -> None:
        line = self.rfile.readline().decode().strip()
        self.wfile.write(f"{answer(self.chassis, line)}\n".encode())


def listen_for_program(path: Path, chassis: Chassis) -> None:
    """Answer ipmi_sim's chassis program, in a thread."""
    Asked.chassis = chassis
    path.unlink(missing_ok=True)
    server = socketserver.ThreadingUnixStreamServer(str(path), Asked)
    path.chmod(0o600)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def serial_line(simulation: "subprocess.Popen[bytes]", within_s: float = 20.0) -> socket.socket:
    """Connected to ipmi_sim, in whose namespace this thread must be. Raises RuntimeError when it ends or is silent."""
    deadline = time.monotonic() + within_s
    while simulation.poll() is None and time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", simulator.BOARD_PORT))
        except ConnectionRefusedError:
            time.sleep(0.01)        # there is no sign of it but this
    raise RuntimeError(f"ipmi_sim does not answer (its exit status: {simulation.poll()})")


def obey(line: socket.socket, chassis: Chassis) -> None:
    """Do what comes by the serial line until it ends."""
    line.sendall(_HELLO)
    doings: Dict[int, Callable[[], None]] = {_POWEROFF: chassis.off, _RESET: chassis.reset, _BUTTON: chassis.button}
    for command in commands(line.makefile("rb")):
        doing: Optional[Callable[[], None]] = doings.get(command)
        if doing is not None:
            try:
                doing()
            except Refused as problem:
                print(f"{doing.__name__}: {problem}", file=sys.stderr, flush=True)


def run(lab: str, node: str) -> None:
    places = Places(lab)
    spec = Spec.load(places.spec.read_text(encoding="utf-8"))
    bmc = spec.nodes[node].bmc
    assert bmc is not None
    folder = places.node(node) / "bmc"
    folder.mkdir(exist_ok=True)
    (places.node(node) / "bmc.pid").write_text(str(os.getpid()))
    chassis, name = Chassis(places, node), network.bmc(node)
    listen_for_program(folder / "board", chassis)
    group = cgroups.make(places.client_cgroup(name))
    cgroups.kill(group)         # of a controller whose board has been killed
    netns = f"/run/netns/{places.client_netns(name)}"
    simulation = subprocess.Popen([*ENTER, str(group / "cgroup.procs"), f"--net={netns}", "--", "/usr/bin/setpriv",
                                   "--pdeathsig", "KILL", "--", *simulator.prepare(folder, spec.nodes[node], bmc)],
                                  stdin=subprocess.DEVNULL, stdout=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    with linux.in_network(netns):
        line = serial_line(simulation)
        redfish.serve(folder, bmc, node, chassis)
    print("ready", flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    obey(line, chassis)
    simulation.wait()


if __name__ == "__main__":
    run(*sys.argv[1:])
