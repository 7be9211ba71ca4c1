"""The pool property multihost, which zfs-fuse lacks: a record on the pool's disks that its owner renews (sys/mmp.h).

The record is at 1 MiB of every disk of the pool, in the boot block region that ZFS leaves alone. An owner writes it
once an interval; who wants to import the pool looks whether it changes. As text: `key=value` lines, 4 KiB.
"""
from __future__ import annotations

import os
import time

AT = 1 << 20
LONG = 4096
MAGIC = "sunlab-multihost 1\n"
DISKS = "/dev/dsk"
RUN = "/var/run/multihost"          # a file per pool that this host keeps up: pid and disks
SYSTEM = "/etc/system"
CONTRACTS = "/system/contract/cgroup.procs"
IMPORT_INTERVALS = 20               # zfs_multihost_import_intervals
HEARTBEAT = ("import sys; sys.path.insert(0, '/usr/lib/sunlab/lib'); "
             "from sunlab.storage.multihost import keep; keep(sys.argv[1], sys.argv[2:])")


def read(disk: str) -> dict[str, str]:
    """The record of one disk; empty where there is none."""
    try:
        descriptor = os.open(disk, os.O_RDONLY)
    except OSError:
        return {}
    try:
        text = os.pread(descriptor, LONG, AT).decode("ascii", "replace")
    except OSError:
        return {}
    finally:
        os.close(descriptor)
    if not text.startswith(MAGIC):
        return {}
    return dict(line.split("=", 1) for line in text[len(MAGIC):].rstrip("\0").splitlines() if "=" in line)


def write(disk: str, record: dict[str, str]) -> None:
    text = MAGIC + "".join(f"{key}={value}\n" for key, value in record.items())
    descriptor = os.open(disk, os.O_WRONLY | os.O_DSYNC)
    try:
        os.pwrite(descriptor, text.encode().ljust(LONG, b"\0"), AT)
    finally:
        os.close(descriptor)


def disks() -> list[str]:
    return [f"{DISKS}/{name}" for name in sorted(os.listdir(DISKS))] if os.path.isdir(DISKS) else []


def of_pool(name: str) -> dict[str, str]:
    """The newest record of the pool that is called so, or that has this guid; empty where there is none."""
    found: dict[str, str] = {}
    for disk in disks():
        record = read(disk)
        if name in (record.get("pool"), record.get("guid")) and int(record.get("at", "0")) >= int(found.get("at", "0")):
            found = record
    return found


def tunable(name: str, otherwise: int) -> int:
    """From /etc/system: `set zfs:zfs_multihost_interval = 100`."""
    try:
        with open(SYSTEM, encoding="ascii") as file:
            for line in file:
                words = line.replace("=", " ").split()
                if words[:2] == ["set", f"zfs:{name}"] and len(words) == 3:
                    return int(words[2], 0)
    except (FileNotFoundError, ValueError):
        pass
    return otherwise


def hostid() -> int:
    try:
        with open("/etc/hostid", "rb") as file:
            return int.from_bytes(file.read(4), "little")
    except FileNotFoundError:
        return 0


# --- the owner


def mark(pool: str, guid: str, on: bool, exported: bool, where: list[str]) -> None:
    """Write what is so now on all of the pool's disks."""
    record = {"pool": pool, "guid": guid, "multihost": "on" if on else "off", "exported": "yes" if exported else "no",
              "hostid": f"{hostid():x}", "host": os.uname().nodename, "at": str(time.time_ns()), "sequence": "0",
              "interval_ms": str(tunable("zfs_multihost_interval", 1000)),
              "fail_intervals": str(tunable("zfs_multihost_fail_intervals", 10))}
    for disk in where:
        write(disk, record)


def start(pool: str, where: list[str]) -> None:
    """Have a process of this host renew the record until `stop`; it belongs to no service's contract."""
    os.makedirs(RUN, exist_ok=True)
    if os.fork() == 0:
        os.setsid()
        try:
            with open(CONTRACTS, "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
        except OSError:
            pass                    # in a zone, or on a host without contracts
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.execv("/usr/bin/python3", ["zfs-multihost", "-IS", "-c", HEARTBEAT, pool, *where])


def stop(pool: str) -> None:
    try:
        os.unlink(f"{RUN}/{pool}")
    except FileNotFoundError:
        pass


def keep(pool: str, where: list[str]) -> None:
    """The process: renew the record every interval while this host's file for the pool says that it is ours."""
    path, me = f"{RUN}/{pool}", str(os.getpid())
    with open(path, "w", encoding="ascii") as file:
        file.write(me)
    pause = tunable("zfs_multihost_interval", 1000) / 1000
    while True:
        try:
            with open(path, encoding="ascii") as file:
                if file.read() != me:
                    return
        except FileNotFoundError:
            return
        for disk in where:
            record = read(disk)
            if record.get("pool") == pool:
                now = {"sequence": str(int(record["sequence"]) + 1), "at": str(time.time_ns())}
                write(disk, {**record, **now})
        time.sleep(pause)


# --- who wants the pool


def checked(record: dict[str, str]) -> bool:
    """Must the pool's activity be looked for before it is imported? Not where it was exported, or was ours last."""
    return record.get("multihost") == "on" and record.get("exported") != "yes" and record["hostid"] != f"{hostid():x}"


def duration_s(record: dict[str, str], chance: float) -> float:
    """How long to look: twice the time after which its owner would stop writing by itself, and up to a quarter more.

    `chance`: 0 to 1. From the values that the owner wrote (spa.c, spa_activity_check_duration).
    """
    intervals, interval_s = int(record["fail_intervals"]), int(record["interval_ms"]) / 1000
    base = intervals * interval_s * 2 if intervals else IMPORT_INTERVALS * interval_s
    return base * (1 + chance / 4)


def active(record: dict[str, str]) -> bool:
    """Does its owner renew the record? Returns as soon as it does."""
    chance = os.urandom(1)[0] / 255
    deadline = time.monotonic() + duration_s(record, chance)
    pause = min(0.1, int(record["interval_ms"]) / 5000)
    while time.monotonic() < deadline:
        time.sleep(pause)
        now = of_pool(record["guid"])
        if now.get("sequence") != record["sequence"] or now.get("at") != record["at"]:
            return True
    return False


def refused(name: str, record: dict[str, str], forced: bool) -> str:
    """The words of zpool_import(3LIB) for a pool that is active elsewhere."""
    host, number = record["host"], record["hostid"]
    where = f"on host '{host}' (hostid={number})." if forced else f"on {host} (hostid: 0x{number})"
    return (f"cannot import '{name}': pool is imported {where}\n"
            "Export the pool on the other system, then run 'zpool import'.\n")
