"""syslogd(8): from /dev/log to files and other hosts as /etc/syslog.conf says; SIGHUP reads that again.

Options are not modelled. As on Solaris a file that does not exist is not made.
"""
from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time

from sunlab.syslog import conf
from sunlab.syslog.message import Message, parse

DOOR, CONF, PID = "/dev/log", "/etc/syslog.conf", "/run/syslog.pid"
PORT = 514


def main(argv: list[str]) -> int:
    if argv:
        sys.stderr.write(f"syslogd: sunlab: not modelled: {' '.join(argv)}\n")
        return 1
    if os.path.exists(DOOR):
        os.unlink(DOOR)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    door.bind(DOOR)
    os.chmod(DOOR, 0o666)
    if os.fork():
        os._exit(0)             # the start method is done: messages are taken
    with open(PID, "w") as file:
        file.write(f"{os.getpid()}\n")
    serve(door)
    return 0


def serve(door: socket.socket) -> None:
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGHUP, lambda *_: None)
    chosen = read()
    while True:
        ready = select.select([door.fileno(), woken], [], [])[0]
        if woken in ready:
            os.read(woken, 64)
            chosen = read()
        if door.fileno() in ready:
            deliver(parse(door.recv(65536)), chosen, wire)


def read() -> list[conf.Rule]:
    try:
        with open(CONF, encoding="utf-8") as file:
            found, problems = conf.rules(file.read())
    except OSError as problem:
        found, problems = [], [f"syslogd: {CONF}: {problem.strerror}"]
    for problem_line in problems:
        sys.stderr.write(problem_line + "\n")
    return found


def deliver(message: Message, chosen: list[conf.Rule], wire: socket.socket) -> None:
    line = message.line(time.strftime("%b %e %H:%M:%S"), os.uname().nodename)
    for rule in chosen:
        if not rule.takes(message.facility, message.level):
            continue
        try:
            if rule.action.startswith("@"):
                text = f"<{message.facility << 3 | message.level}>{line}"
                wire.sendto(text.encode()[:1024], (rule.action[1:], PORT))
                continue
            out = os.open(rule.action, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY)
            os.write(out, f"{line}\n".encode())
            os.close(out)
        except OSError as problem:
            sys.stderr.write(f"syslogd: {rule.action}: {problem.strerror}\n")
