"""pfexec(1): runs a command with the ids that the caller's profiles name for it; pfexecd starts it."""
import array
import json
import os
import shutil
import signal
import socket
import struct
import sys

from sunlab.rbac.pfexecd import DOOR

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def main(argv: list[str]) -> int:
    if argv[:1] == ["-P"]:
        sys.stderr.write("pfexec: -P: not modelled in this lab\n")
        return 1
    if not argv or argv[0].startswith("-"):
        sys.stderr.write("usage:\tpfexec [-P privset] cmd [arg ...]\n")
        return 1
    path = shutil.which(argv[0])
    if path is None:
        sys.stderr.write(f"{argv[0]}: not found\n")
        return 1
    path = os.path.abspath(path)
    if os.getuid() == 0:
        os.execv(path, argv)
    caller = socket.socket(socket.AF_UNIX)
    try:
        caller.connect(DOOR)
    except OSError:
        sys.stderr.write("pfexec: pfexecd does not answer: svcs -x svc:/system/pfexec:default\n")
        return 1
    request = json.dumps({"path": path, "argv": argv, "env": dict(os.environ), "folder": os.getcwd()}).encode()
    for number in PASSED_ON:
        signal.signal(number, lambda got, frame: caller.sendall(bytes([got])))
    caller.sendmsg([struct.pack("<I", len(request))],
                   [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
    caller.sendall(request)
    said = json.loads(b"".join(iter(lambda: caller.recv(4096), b"")) or b'{"error": "pfexecd has ended"}')
    if "error" in said:
        sys.stderr.write(f"pfexec: {said['error']}\n")
        return 1
    return int(said["exit"])
