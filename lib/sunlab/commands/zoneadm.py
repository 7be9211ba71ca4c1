"""zoneadm(8): list zones, and take one from state to state. Sentences and states: zoneadm.c, zoneadmd.c of illumos."""
from __future__ import annotations

import os
import sys

from sunlab.zones import listing, registry
from sunlab.zones.registry import Zone

SHORT = {"help": "help", "boot": "boot [-- boot_arguments]", "halt": "halt", "ready": "ready",
         "shutdown": "shutdown [-r [-- boot_arguments]]", "reboot": "reboot [-- boot_arguments]",
         "list": "list [-cipv]", "verify": "verify", "install": "install [brand-specific args]",
         "uninstall": "uninstall [-F] [brand-specific args]",
         "clone": "clone [-m method] [-s <ZFS snapshot>] [brand-specific args] zonename", "move": "move zonepath",
         "detach": "detach [-n] [brand-specific args]", "attach": "attach [-F] [-n <path>] [brand-specific args]",
         "mark": "mark incomplete"}
PRIVATE = ("mount", "unmount", "apply", "sysboot")


def usage(verb: str = "") -> int:
    if verb:
        sys.stderr.write(f"usage:\t{SHORT[verb]}\n")
    else:
        sys.stderr.write("usage:\tzoneadm help\n\tzoneadm [-z <zone>] [-u <uuid-match>] list\n"
                         "\tzoneadm {-z <zone>|-u <uuid-match>} <subcommand>\n\nSubcommands:\n\n"
                         + "".join(f"{text}\n" for text in SHORT.values()) + "\n")
    return 2


def target(words: list[str]) -> tuple[str, str, list[str]]:
    """The zone's name or uuid that is asked for, and what follows."""
    name = uuid = ""
    while words and words[0][:2] in ("-z", "-u"):
        letter, given = words[0][1], words[0][2:]
        words = words[1:]
        if not given:
            given, words = (words[0] if words else ""), words[1:]
        name, uuid = (given, uuid) if letter == "z" else (name, given)
    return name, uuid, words


def main(argv: list[str]) -> int:
    name, uuid, words = target(argv)
    if not words or words[0] in ("-?", "-h") or words[0] not in (*SHORT, *PRIVATE):
        return usage()
    verb, rest = words[0], words[1:]
    if verb == "help":
        sys.stdout.write("".join(f"{text}\n" for text in SHORT.values()))
        return 0
    if uuid and (len(uuid) != 36 or not set(uuid.lower()) <= set("0123456789abcdef-")):
        sys.stderr.write("zoneadm: illegal UUID value specified\n")
        return 1
    if uuid:
        name = next((zone.name for zone in registry.index().values() if zone.uuid == uuid.lower()), name)
    inside = registry.inside()
    if inside:
        return within(inside, name, verb, rest)
    if verb == "list":
        return list_zones(name, rest)
    if not name:
        sys.stderr.write("zoneadm: no zone specified\n")
        return 1
    if name == "global":
        sys.stderr.write(f"zoneadm: zone 'global': {verb} operation is invalid for the global zone.\n")
        return 1
    zone = registry.index().get(name)
    if zone is None:
        sys.stderr.write(f"zoneadm: {name}: No such zone configured\n")
        return 1
    return act(zone, verb, rest)


def act(zone: Zone, verb: str, words: list[str]) -> int:
    from sunlab.zones import changes
    from sunlab.zones.changes import Misused, Refused
    if verb == "apply":
        sys.stderr.write(f"sunlab: zoneadm {verb}: not modelled in this lab\n")
        return 1
    os.umask(0o022)
    try:
        getattr(changes, verb)(zone, words)
    except Misused:
        return usage(verb if verb in SHORT else "")
    except Refused as refused:
        if str(refused):
            sys.stderr.write(f"zoneadm: zone '{zone.name}': {refused}\n")
        return 1
    except OSError as failed:
        sys.stderr.write(f"zoneadm: zone '{zone.name}': {failed}\n")
        return 1
    return 0


def within(own: str, name: str, verb: str, words: list[str]) -> int:
    """In a zone itself: it sees itself, and is told what to use instead."""
    if name and name != own:
        sys.stderr.write(f"zoneadm: {name}: No such zone configured\n")
        return 1
    if verb == "list":
        flags = "".join(word[1:] for word in words)
        return listing.show([listing.itself(own)], "v" in flags, "p" in flags)
    who = f"zone '{name}': " if name else ""
    instead = {"halt": "halt", "shutdown": "shutdown", "reboot": "reboot"}.get(verb)
    sys.stderr.write(f"zoneadm: {who}" + (f"use {instead}(8) to {verb} this zone.\n" if instead else
                                          f"must be in the global zone to {verb} a zone.\n"))
    return 1


def list_zones(name: str, words: list[str]) -> int:
    flags = "".join(word[1:] for word in words)
    if set(flags) - set("pv" if name else "cipvn") or any(word[:1] != "-" or len(word) < 2 for word in words):
        return usage("list")
    if "p" in flags and "v" in flags:
        who = f"zone '{name}': " if name else ""
        sys.stderr.write(f"zoneadm: {who}list -p and -v are mutually exclusive.\n")
        return 1
    rows = listing.rows()
    if name:
        rows = [row for row in rows if row.name == name]
        if not rows:
            sys.stderr.write(f"zoneadm: {name}: No such zone configured\n")
            return 1
    else:
        rows = [row for row in rows if row.shown("c" in flags, "i" in flags)
                and not (row.name == "global" and "n" in flags)]
    return listing.show(rows, "v" in flags, "p" in flags)
