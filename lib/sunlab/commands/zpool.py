"""zpool(8): zfs-fuse's own command, in the words of this node's system and with what it lacks (storage/)."""
from __future__ import annotations

import os
import posix
import sys

from sunlab import platform
from sunlab.storage import devices, mounts, multihost, words

REAL = "/usr/lib/sunlab/zfs-fuse/zpool"
UMOUNT = "/bin/umount"


class Done:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    def tell(self) -> int:
        sys.stdout.write(self.out)
        sys.stderr.write(self.err)
        return self.status


def run(*argv: str, program: str = REAL) -> Done:
    """To its end. Its outputs go through files in memory: nothing to wait for but the process."""
    kept = [os.memfd_create("zpool"), os.memfd_create("zpool")]
    actions = [(os.POSIX_SPAWN_DUP2, kept[0], 1), (os.POSIX_SPAWN_DUP2, kept[1], 2)]
    pid = posix.posix_spawn(program, [program, *argv], os.environ, file_actions=actions)
    _, status = os.waitpid(pid, 0)
    texts = [os.pread(one, os.fstat(one).st_size, 0).decode(errors="replace") for one in kept]
    for one in kept:
        os.close(one)
    return Done(os.waitstatus_to_exitcode(status) & 0xFF, *texts)


def options(argv: list[str], flags: str, valued: str) -> tuple[dict[str, list[str]], list[str]] | str:
    """As getopt(3C); the letter that is wrong as text."""
    found: dict[str, list[str]] = {}
    rest = list(argv)
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        word = rest.pop(0)[1:]
        if word == "-":
            break
        while word:
            letter, word = word[0], word[1:]
            if letter in valued and (word or rest):
                found.setdefault(letter, []).append(word or rest.pop(0))
                word = ""
            elif letter in flags:
                found.setdefault(letter, []).append("")
            else:
                return letter
    return found, rest


def usage(command: str, why: str) -> int:
    """zfs-fuse's own usage text of the command, behind what is wrong."""
    told = run(command, "-!").err
    sys.stderr.write(why + "\n" + told[told.index("usage:"):])
    return 2


# --- import


def import_(argv: list[str]) -> int:
    given = options(argv, "aCDEfFlmnNV", "c:d:o:rR:tT:X".replace(":", ""))
    if isinstance(given, str):
        return usage("import", f"invalid option '{given}'")
    found, operands = given
    if "c" in found and "d" in found:
        return usage("import", "-c is incompatible with -d")
    lacking = [letter for letter in "CElmrtTVX" if letter in found]
    if lacking:
        sys.stderr.write(f"zpool: sunlab: import -{lacking[0]}: not modelled in this lab\n")
        return 1
    passed = [w for letter in found if letter != "N" for value in found[letter]
              for w in ([f"-{letter}", value] if letter in "cdoR" else [f"-{letter}"])]
    if not {"c", "d"} & set(found):
        passed = ["-d", multihost.DISKS, *passed]
    if "a" in found:
        return import_all(passed, found, operands)
    if not operands:
        return importable(passed)
    return import_one(operands[0], operands[1:], passed, found)


def import_one(name: str, rest: list[str], passed: list[str], found: dict[str, list[str]]) -> int:
    here = platform.here()
    record = multihost.of_pool(name) if here.multihost else {}
    if record.get("multihost") == "on" and not multihost.hostid():
        sys.stderr.write(f"Cannot import '{name}': pool has the multihost property on and the\n"
                         "system's hostid is not set.\n")
        return 1
    if multihost.checked(record) and not imported(name) and multihost.active(record):
        sys.stderr.write(multihost.refused(name, record, "f" in found))
        return 1
    done = run("import", *passed, name, *rest)
    if done.status:
        done.err = words.refusal(done.err, here.multihost)
        return done.tell()
    pool = (rest or [record.get("pool", name)])[0]
    if "N" in found:
        unmount([pool])
    if record.get("multihost") == "on":
        where = disks_of(pool)
        multihost.mark(pool, record["guid"], True, False, where)
        multihost.start(pool, where)
    return done.tell()


def imported(name: str) -> bool:
    done = run("list", "-H", "-o", "name,guid")
    return any(name in line.split("\t") for line in done.out.splitlines())


def import_all(passed: list[str], found: dict[str, list[str]], operands: list[str]) -> int:
    """Every pool that is to be had, each with its own check, one after the other."""
    listed = run("import", *[w for w in passed if w not in ("-a", "-f")])
    names = [line.split(":", 1)[1].strip() for line in listed.out.splitlines() if line.lstrip().startswith("pool:")]
    status = 0
    for name in names:
        status = import_one(name, [], [w for w in passed if w != "-a"], found) or status
    return status


def importable(passed: list[str]) -> int:
    """Without an operand: what could be imported."""
    done = run("import", *passed)
    here = platform.here()
    if not done.out and not done.err:
        sys.stderr.write("no pools available to import\n")
        return 0
    text = words.listing(done.out, here.messages, here.multihost)
    if here.multihost:
        text = "".join(with_activity(block) for block in blocks(text))
    return Done(done.status, text, done.err).tell()


def blocks(text: str) -> list[str]:
    """One for each pool."""
    parts = text.split("   pool: ")
    return [part if at == 0 else "   pool: " + part for at, part in enumerate(parts) if part]


def with_activity(block: str) -> str:
    """A pool that another host keeps up is told as that."""
    name = block.partition("   pool: ")[2].partition("\n")[0].strip()
    record = multihost.of_pool(name)
    if not multihost.checked(record) or not multihost.active(record):
        return block
    head, _, tail = block.partition(" status: ")
    config = tail[tail.index(" config:"):]
    return (f"{head} status: The pool is currently imported by another system.\n"
            f" action: The pool must be exported from {record['host']} (hostid={record['hostid']})\n"
            f"\tbefore it can be safely imported.\n   see: {platform.here().messages}ZFS-8000-EY\n{config}")


# --- export, destroy


def leave(argv: list[str]) -> int:
    """export and destroy: zfs-fuse takes half a second over an unmount that it does itself; the kernel's takes none."""
    pools = [word for word in argv[1:] if not word.startswith("-")]
    busy = unmount(pools)
    if busy and "-f" not in argv:
        sys.stderr.write(f"cannot unmount '{busy[1]}': Device busy\ncannot {argv[0]} '{busy[0]}': pool is busy\n")
        return 1
    kept = {pool: disks_of(pool) for pool in pools if os.path.exists(f"{multihost.RUN}/{pool}")}
    done = run(*argv)
    for pool, where in kept.items():
        if not done.status:
            multihost.stop(pool)
            record = multihost.of_pool(pool)
            multihost.mark(pool, record["guid"], argv[0] == "export", True, where)
    return done.tell()


def unmount(pools: list[str]) -> tuple[str, str] | None:
    """Unmount all of the pools and wait until zfs-fuse knows; the pool and place that are in use."""
    with open("/proc/mounts", encoding="utf-8") as file:
        rows = [line.split() for line in file]
    # zfs-fuse mounts tank as /tank, whatever its mountpoint: what is mounted is told by the kernel's source field
    mine = [(pool, row[1]) for row in rows for pool in pools if row[0].lstrip("/").partition("/")[0] == pool]
    if not mine:
        return None
    served = mounts.Served()
    for pool, place in reversed(mine):
        if run(place, program=UMOUNT).status:
            return pool, place
    served.await_fewer(len(mine))
    return None


def disks_of(pool: str) -> list[str]:
    """The devices of an imported pool, from its status."""
    listed = [line.split() for line in run("status", pool).out.splitlines() if line.startswith("\t ")]
    return [f"/dev/{row[0]}" for row in listed if row and row[0].startswith("dsk/")]


# --- looking


def list_(argv: list[str]) -> int:
    given = options(argv, "HpPv", "oT")
    if isinstance(given, str):
        return usage("list", f"invalid option '{given}'")
    found, pools = given
    here = platform.here()
    if "v" in found or "T" in found or any(word.isdigit() for word in pools):
        sys.stderr.write("zpool: sunlab: list -v, -T and an interval: not modelled in this lab\n")
        return 1
    columns = (",".join(found["o"]) if "o" in found else words.DEFAULT[here.name]).lower().split(",")
    wrong = [c for c in columns if c not in words.HEADERS or (not here.multihost and words.property_of(c) in newer())]
    if wrong:
        return usage("list", f"bad property list: invalid property '{wrong[0]}'")
    asked = ["name", *dict.fromkeys(p for p in map(words.property_of, columns) if p in words.KNOWN)]
    done = run("list", "-H", "-o", ",".join(asked), *pools)
    if not done.out and not done.err and not pools:
        sys.stdout.write("no pools available\n")
        return 0
    rows = [values(dict(zip(asked, line.split("\t"))), columns, "p" in found) for line in done.out.splitlines()]
    done.out = words.table(columns, rows, "H" in found) if rows else ""
    return done.tell()


def newer() -> set[str]:
    return {*words.NEWER, "multihost"}


def values(known: dict[str, str], columns: list[str], exact: bool) -> list[str]:
    row = []
    for prop in map(words.property_of, columns):
        value = known.get(prop) or words.NEWER.get(prop)
        if prop == "multihost":
            value = multihost.of_pool(known["name"]).get("multihost", "off")
        row.append(words.exact(prop, value or "-") if exact else value or "-")
    return row


def get(argv: list[str]) -> int:
    given = options(argv, "Hp", "o")
    if isinstance(given, str):
        return usage("get", f"invalid option '{given}'")
    found, operands = given
    if not operands:
        return usage("get", "missing property argument")
    here = platform.here()
    fields = (found["o"][0] if "o" in found else "name,property,value,source").split(",")
    every = [*words.KNOWN, *(sorted(newer()) if here.multihost else [])]
    wanted = every if operands[0] == "all" else [words.property_of(p) for p in operands[0].lower().split(",")]
    wrong = [p for p in wanted if p not in every]
    if wrong:
        return usage("get", f"bad property list: invalid property '{wrong[0]}'")
    pools = operands[1:] or [line for line in run("list", "-H", "-o", "name").out.splitlines() if line]
    rows, status = [], 0
    for pool in pools:
        done = run("get", ",".join([p for p in wanted if p in words.KNOWN] or ["health"]), pool)
        sys.stderr.write(done.err)
        status = done.status or status
        told = {line.split()[1]: line.split()[2:] for line in done.out.splitlines()[1:]}
        for prop in wanted if not done.status else ():
            rows.append(one_property(pool, prop, told, "p" in found))
    show_properties(fields, rows, "H" in found)
    return status


def one_property(pool: str, prop: str, told: dict[str, list[str]], exact: bool) -> dict[str, str]:
    if prop == "multihost":
        value = multihost.of_pool(pool).get("multihost", "off")
        source = "local" if value == "on" else "default"
    elif prop in words.KNOWN:
        value, source = (told[prop] + ["-"])[:2]
    else:
        value, source = words.NEWER[prop], "-"
    return {"name": pool, "property": prop, "value": words.exact(prop, value) if exact else value, "source": source}


def show_properties(fields: list[str], rows: list[dict[str, str]], scripted: bool) -> None:
    if scripted:
        sys.stdout.write("".join("\t".join(row[f] for f in fields) + "\n" for row in rows))
        return
    cells = [{f: f.upper() for f in fields}, *rows] if rows else []
    widths = {f: max(len(row[f]) for row in cells) for f in fields} if cells else {}
    for row in cells:
        sys.stdout.write("  ".join(row[f].ljust(widths[f]) for f in fields).rstrip() + "\n")


def status(argv: list[str]) -> int:
    done = run("status", *argv)
    done.out = words.status(done.out)
    return done.tell()


# --- changing


def set_(argv: list[str]) -> int:
    if not platform.here().multihost or len(argv) != 2 or not argv[0].startswith("multihost="):
        return run("set", *argv).tell()
    value, pool = argv[0].partition("=")[2], argv[1]
    told = run("list", "-H", "-o", "guid", pool)
    if told.status:
        return told.tell()
    if value not in ("on", "off"):
        sys.stderr.write(f"cannot set property for '{pool}': 'multihost' must be one of 'on | off'\n")
        return 1
    if value == "on" and not multihost.hostid():
        sys.stderr.write(f"cannot set property for '{pool}': requires a non-zero system hostid\n")
        return 1
    where = disks_of(pool)
    multihost.stop(pool)
    multihost.mark(pool, told.out.strip(), value == "on", False, where)
    if value == "on":
        multihost.start(pool, where)
    return 0


def with_devices(argv: list[str]) -> Done:
    done = run(argv[0], *devices.whole(argv[1:]))
    done.out, done.err = devices.told(done.out, argv), devices.told(done.err, argv)
    return done


def create(argv: list[str]) -> int:
    """-o multihost=on is taken out and set afterwards."""
    wanted = [at for at in range(len(argv) - 1) if argv[at] == "-o" and argv[at + 1].startswith("multihost=")]
    if not wanted or not platform.here().multihost:
        return with_devices(["create", *argv]).tell()
    setting = argv[wanted[0] + 1]
    rest = argv[:wanted[0]] + argv[wanted[0] + 2:]
    done = with_devices(["create", *rest])
    given = options(rest, "dfn", "oOmRt")
    if done.status or isinstance(given, str):
        return done.tell()
    return set_([setting, given[1][0]])


def after_boot() -> None:
    """The host has imported its pools by itself: those with multihost are kept up from now on."""
    for pool in run("list", "-H", "-o", "name").out.split():
        record = multihost.of_pool(pool)
        if record.get("multihost") == "on":
            multihost.start(pool, disks_of(pool))


def main(argv: list[str]) -> int:
    act = {"import": import_, "list": list_, "get": get, "status": status, "set": set_, "create": create}
    command = argv[0] if argv else ""
    if command == "sunlab-after-boot":
        after_boot()
        return 0
    if command in devices.COMMANDS and command not in act:
        return with_devices(argv).tell()
    if command not in (*act, "export", "destroy"):
        os.execv(REAL, [REAL, *argv])
    return act[command](argv[1:]) if command in act else leave(argv)
