"""mount of type ufs (mount_ufs(8); its sentences are those of ufs/mount/mount.c, what is refused ufs_vfsops.c).

A UFS is an ext4 on a loop device in the lab; the log of one is the journal of the other. Options that change nothing
here are kept and shown: forcedirectio, largefiles, quota, onerror and their like.
"""
from __future__ import annotations

import errno
import os
import sys
import time

from sunlab import linux, spawn
from sunlab.fs import loop, options, superblock, table

DSK, RDSK = "/dev/dsk/", "/dev/rdsk/"
REFUSED = 32
KNOWN = ("dfratime", "nodfratime", "forcedirectio", "noforcedirectio", "global", "noglobal", "intr", "nointr",
         "largefiles", "nolargefiles", "logging", "nologging", "noatime", "nosec", "quota", "noquota", "rq", "xattr",
         "noxattr", "syncdir", "toosoon")
USAGE = """ufs usage:
mount [-F ufs] [generic options] [-o suboptions] {special | mount_point}
\tsuboptions are: \n\t\tro,rw,nosuid,remount,f,m,
\t\tglobal,noglobal,
\t\tlargefiles,nolargefiles,
\t\tforcedirectio,noforcedirectio
\t\tlogging,nologging,
\t\tnbmand,nonbmand,
\t\tonerror[={panic | lock | umount}]
"""


def known(word: str) -> bool:
    return word in KNOWN or word in options.GENERIC or word.partition("=")[0] == "onerror"


def wrong_value(words: list[str]) -> bool:
    """onerror of something else than the three."""
    return any(word.startswith("onerror=") and word[8:] not in ("panic", "lock", "umount") for word in words)


def kept(words: list[str], logs: bool) -> str:
    """The options of such a mount in mnttab. Pure."""
    only = options.last_of(words, "ro", "rw") == "ro"
    found = ["ro" if only else "rw"]
    found += [word for word in ("nosuid", "nosetuid", "nodevices", "noexec", "noatime", "forcedirectio", "quota")
              if word in words]
    found.append("nointr" if options.last_of(words, "intr", "nointr") == "nointr" else "intr")
    found.append("nolargefiles" if options.last_of(words, "largefiles", "nolargefiles") == "nolargefiles"
                 else "largefiles")
    found += ["logging"] if logs and not only else []
    found.append("xattr")
    return ",".join([*found, next((word for word in words if word.startswith("onerror=")), "onerror=panic")])


def sentences(number: int, special: str, place: str) -> tuple[str, str]:
    """What a failed mount says, on standard error and on standard output (rpterr()). Pure."""
    if number == errno.ENOSPC:
        return (f"mount: The state of {special} is not okay\n\tand it was attempted to be mounted read/write\n",
                "mount: Please run fsck and try again\n")
    texts = {errno.EPERM: "Insufficient privileges", errno.ENXIO: f"{special} no such device",
             errno.ENOTDIR: f"{place} not a directory\n\tor a component of {special} is not a directory",
             errno.ENOENT: f"{special} or {place}, no such file or directory",
             errno.EINVAL: f"{special} is not this fstype",
             errno.EBUSY: f"{special} is already mounted or {place} is busy",
             errno.ENOTBLK: f"{special} not a block device", errno.EROFS: f"{special} write-protected"}
    return f"mount: {texts.get(number, os.strerror(number) + chr(10) + f'mount: Cannot mount {special}')}\n", ""


def mount(special: str, place: str, words: list[str], overlay: bool, quiet: bool) -> int:
    """The exit status of mount -F ufs."""
    if wrong_value(words):
        sys.stdout.write(USAGE)
        return REFUSED
    try:
        logs: bool | None
        if "remount" in words:
            logs = remount(special, place, words)
        else:
            logs = attach(special, place, words, overlay)
    except OSError as problem:
        err, out = sentences(problem.errno or errno.EIO, special, place)
        sys.stderr.write(err)
        sys.stdout.write(out)
        return REFUSED
    if logs is None:
        sys.stderr.write(f"{place}: No space left on device\nCould not enable logging for {place} on {special}.\n")
    for word in () if quiet else words:
        if not known(word):
            sys.stderr.write(f"mount: {special} on {place} - WARNING ignoring option \"{word.partition('=')[0]}\"\n")
    return 0


def attach(special: str, place: str, words: list[str], overlay: bool) -> bool | None:
    """Does it log now? None: there is no room for a log. Raises OSError with the errno that Solaris has."""
    mounts = table.read()
    if os.geteuid() != 0:
        raise OSError(errno.EPERM, "not root")
    if special.startswith(RDSK):
        raise OSError(errno.ENOTBLK, "a raw device")
    if not os.path.isdir(place):
        raise OSError(errno.ENOTDIR, place)
    os.stat(special)
    if not special.startswith(DSK):
        raise OSError(errno.ENOTBLK, "sunlab: only the node's disks are modelled")
    if table.last(mounts, special=special) or not overlay and any(one.place == place for one in mounts):
        raise OSError(errno.EBUSY, special)
    found = superblock.read(special)
    if found is None:
        raise OSError(errno.EINVAL, "not a UFS")
    read_only = options.last_of(words, "ro", "rw") == "ro"
    if not found.okay and not read_only:
        raise OSError(errno.ENOSPC, found.state)
    logs = found.logs if read_only else log_as_asked(special, found, options.last_of(words, "logging", "nologging"))
    flags = options.flags(words)
    # A dirty file system may be read; its log, if there is one, stays as it is.
    loop.mount(os.path.basename(special), place, "ext4", flags,
               "errors=continue" + (",noload" if read_only and found.unrolled else ""))
    table.note(place, "ufs", kept(words, bool(logs)), int(time.time()))
    return logs


def log_as_asked(special: str, found: superblock.Superblock, asked: str) -> bool | None:
    """Make or remove the log of what is not mounted, where it is not as asked. Does it log now?"""
    wanted = asked != "nologging"
    if found.logs == wanted:
        return wanted
    raw = RDSK + os.path.basename(special)
    if found.unrolled and spawn.run(["/usr/sbin/e2fsck", "-p", "-E", "journal_only", raw])[0] > 1:
        raise OSError(errno.EIO, "the log cannot be rolled")
    status, _ = spawn.run(["/usr/sbin/tune2fs", "-O", "has_journal" if wanted else "^has_journal", raw])
    if status != 0 and not wanted:
        raise OSError(errno.EIO, "the log cannot be removed")
    return None if status != 0 else wanted


def remount(special: str, place: str, words: list[str]) -> bool:
    """Other options for what is mounted. Raises OSError."""
    held = table.last(table.read(), point=place)
    if held is None or held.kind != "ufs" or held.special != special:
        raise OSError(errno.ENOENT if held is None else errno.EINVAL, place)
    logs = "logging" in held.options.split(",")
    asked = options.last_of(words, "logging", "nologging")
    if asked and (asked == "logging") != logs:
        sys.stderr.write("mount: sunlab: remount with another kind of logging is not modelled in this lab\n")
        raise OSError(errno.ENOTSUP, place)
    # Only from read-only to read/write, as on Solaris.
    rest = [word for word in words if word != "ro"]
    linux.mount("none", place, "", options.flags([*rest, "remount"]))
    table.note(place, "ufs", kept(rest, logs), int(time.time()))
    return logs
