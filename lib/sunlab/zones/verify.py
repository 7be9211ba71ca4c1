"""Can this zone's configuration be instantiated on this host? (verify_details in zoneadm.c)"""
from __future__ import annotations

import os
import stat
import sys

from sunlab.net import objects
from sunlab.spawn import run
from sunlab.zones import config, links, registry
from sunlab.zones.config import ZoneConfig
from sunlab.zones.registry import Zone

MODES = ((stat.S_IRUSR, True, "owner readable"), (stat.S_IWUSR, True, "owner writable"),
         (stat.S_IXUSR, True, "owner executable"), (stat.S_IRGRP, False, "group readable"),
         (stat.S_IWGRP, False, "group writable"), (stat.S_IXGRP, False, "group executable"),
         (stat.S_IROTH, False, "world readable"), (stat.S_IWOTH, False, "world writable"),
         (stat.S_IXOTH, False, "world executable"))
PARENT_MODES = (*MODES[:3], MODES[4], MODES[7])
CREATING = ("verify", "install", "clone", "move")
#: What the lab keeps and does not act on; said when the zone is booted.
WITHOUT_EFFECT = ("device", "capped-memory", "dedicated-cpu", "rctl", "admin")


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def zone(one: Zone, verb: str) -> bool:
    """All of it; what is wrong is said."""
    own = config.load(one.name) or config.blank()
    good = True
    if verb != "attach" and not zonepath(one, one.path, verb):
        say(f"could not verify zonepath {one.path} because of the above errors.")
        good = False
    good = network(own) and good
    good = file_systems(own) and good
    if verb in ("boot", "ready", "reboot"):
        for kind in WITHOUT_EFFECT:
            if own.all_of(kind):
                say(f"sunlab: zone '{one.name}': {kind}: not modelled in this lab; it has no effect")
    if not good:
        say(f"zoneadm: zone {one.name} failed to verify")
    return good


def zonepath(one: Zone, path: str, verb: str) -> bool:
    if not path.startswith("/"):
        say(f"{path} is not an absolute path.")
        return False
    if not os.path.isdir(path):
        if os.path.lexists(path):
            say(f"{path} is not a directory.")
            return False
        if verb not in CREATING:
            say(f"zoneadm: {path}: No such file or directory")
            return False
        if verb == "verify":
            say(f"WARNING: {path} does not exist, so it could not be verified.\nWhen 'zoneadm install' is run, "
                f"'install' will try to create\n{path}, and 'verify' will be tried again,\nbut the 'verify' may fail "
                f"if:\nthe parent directory of {path} is group- or other-writable\nor\n{path} overlaps with any other "
                "installed zones.")
            return True
        os.makedirs(path, 0o755)
        os.chmod(path, 0o700)
    if os.path.realpath(path) != path:
        say(f"zoneadm: {path}: Resolved path mismatch")
        return False
    if verb not in ("boot", "reboot", "ready") and not apart(one, path):
        return False
    good = modes(path, MODES) and modes(os.path.dirname(path), PARENT_MODES)
    return not occupied(one, path, verb) and good


def occupied(one: Zone, path: str, verb: str) -> bool:
    """A root at the path of a zone that is only configured was detached, or is somebody else's."""
    if one.state != "configured" or verb == "attach" or not os.path.exists(f"{path}/root"):
        return False
    if os.path.exists(f"{path}/SUNWdetached.xml"):
        say(f"Cannot {verb} detached zone.\nUse attach or remove {path} directory.")
        return True
    if not os.path.isdir(f"{path}/root"):
        say(f"{path}/root is not a directory.")
        return True
    return False


def apart(one: Zone, path: str) -> bool:
    """No zone's path may be below another installed one's."""
    for other in registry.index().values():
        if other.name == one.name or other.state in ("configured", "incomplete"):
            continue
        if not os.path.isdir(other.path):
            sys.stdout.write(f"WARNING: zone {other.name} is installed, but its zonepath {other.path} does not "
                             "exist.\n")
        elif f"{path}/".startswith(f"{other.path}/") or f"{other.path}/".startswith(f"{path}/"):
            say(f"{one.name} zonepath ({path}) and {other.name} zonepath ({other.path}) overlap.")
            return False
    return True


def modes(place: str, wanted: "tuple[tuple[int, bool, str], ...]") -> bool:
    found = os.stat(place)
    good = found.st_uid == 0
    if not good:
        say(f"{place} is not owned by root.")
    for bit, on, words in wanted:
        if bool(found.st_mode & bit) != on:
            say(f"{place} must {'' if on else 'not '}be {words}.")
            good = False
    return good


def network(own: ZoneConfig) -> bool:
    """Only warnings: a zone boots without an interface that is not there."""
    nets = own.all_of("net")
    present = objects.links() if nets else {}
    for net in nets:
        if net.get("physical") not in present and not links.exclusive(own):
            say(f"WARNING: skipping network interface '{net.get('physical')}' which may not be present/plumbed in the "
                "global zone.")
    return True


def file_systems(own: ZoneConfig) -> bool:
    good = True
    for one in own.all_of("fs"):
        if one.get("type") != "lofs":
            say(f"sunlab: fs {one.get('dir')}: type {one.get('type')}: not modelled in this lab")
            good = False
        elif not os.path.exists(one.get("special")):
            say(f"could not verify fs {one.get('dir')}: could not access {one.get('special')}: No such file or "
                "directory")
            good = False
    for one in own.all_of("dataset"):
        status, _ = run(["/usr/sbin/zfs", "list", "-H", "-o", "name", one.get("name")])
        if status:
            say(f"could not verify zfs dataset {one.get('name')}: dataset does not exist")
        else:
            say(f"sunlab: dataset {one.get('name')}: a delegated dataset is not modelled in this lab")
        good = False
    return good
