"""The verbs of zoneadm(8) that change a zone. What each refuses, and in which words: sanity_check in zoneadm.c."""
from __future__ import annotations

import os
import sys

from sunlab.platform import here
from sunlab.zones import bootargs, calls, config, copying, instance, registry, root
from sunlab.zones import verify as check
from sunlab.zones.registry import Zone

DETACHED = "SUNWdetached.xml"
SERVICES_S = 100.0              # what svc:/system/zones gives its stop method
ORDER = ("configured", "incomplete", "unavailable", "installed")
#: What a zone can leave the state unavailable by: zoneadm(8) of Solaris 11.4.
OUT_OF_UNAVAILABLE = ("attach", "uninstall", "mark", "halt")
OUT_OF_SYNC = """                Global zone version: {host}
            Non-Global zone version: {zone}
                         Evaluation: Packages in zone {name} are out of sync with the global zone. To proceed, retry \
with the -u flag.
                             Result: Attach Failed.
"""


class Refused(Exception):
    """Exit 1 with `zoneadm: zone 'N': TEXT`; without a text all is said already."""


class Misused(Exception):
    """Exit 2 with the usage of the verb."""


def lowest(verb: str, force: bool) -> tuple[str, ...]:
    """The states from which a verb may be done, for those that want the zone installed."""
    return ("installed", "incomplete") if verb == "mount" and force else ("installed",)


def sane(zone: Zone, verb: str, running: bool = False, unsafe: bool = False, force: bool = False) -> None:
    """`running`: it must be up. `unsafe`: it must not. Raises Refused."""
    if os.geteuid() != 0:
        raise Refused(f"only a privileged user may {verb} a zone.")
    if zone.name.startswith("SUNW"):
        raise Refused(f"{verb} operation is invalid for zones starting with SUNW.")
    up = registry.running(zone.name)
    if running:
        if up is None:
            raise Refused("not running")
        return
    if unsafe and up is not None:
        raise Refused(f"{verb} operation is invalid for {up.state} zones.")
    if up is not None:
        return
    if zone.state == "unavailable" and verb not in OUT_OF_UNAVAILABLE:
        raise Refused("zone is unavailable; attach required.")
    if verb == "uninstall" and zone.state == "configured":
        raise Refused("is already in state 'configured'.")
    if verb in ("attach", "clone", "install") and zone.state == "installed":
        raise Refused("is already installed.")
    if verb in ("attach", "clone", "install", "verify") and zone.state == "incomplete" and not force:
        raise Refused("zone is incomplete; uninstall required.")
    if verb in ("detach", "move", "ready", "boot", "mount") and zone.state not in lowest(verb, force):
        raise Refused(f"must be installed before {verb}.")
    if verb == "unmount":
        raise Refused("must be mounted before unmount.")
    if verb == "sysboot" and zone.state != "installed":
        raise Refused(f"{verb} operation is invalid for {zone.state} zones.")


def none(words: list[str]) -> None:
    if words:
        raise Misused


def modelled(verb: str, words: list[str], *known: str) -> None:
    """Options are the brand's own where zoneadm does not know them; the lab's brands have few. Raises Refused."""
    for word in words:
        if word not in known:
            sys.stderr.write(f"sunlab: zoneadm {verb} {word}: not modelled in this lab\n")
            raise Refused("")


def verified(zone: Zone, verb: str) -> None:
    if not check.zone(zone, verb):
        raise Refused("")


def verify(zone: Zone, words: list[str]) -> None:
    none(words)
    sane(zone, "verify")
    verified(zone, "verify")


# --- the zone's files

def install(zone: Zone, words: list[str]) -> None:
    dataset = words != ["-x", "nodataset"]
    if dataset:
        modelled("install", words)
    sane(zone, "install", unsafe=True)
    verified(zone, "install")
    with registry.Exclusively(zone.name):
        if os.path.exists(f"{zone.path}/root"):
            raise Refused(f"{zone.path}/root is there already; attach that zone, or remove it")
        registry.set_state(zone.name, "incomplete")
        if dataset and root.make_dataset(zone.path):
            sys.stdout.write("A ZFS file system has been created for this zone.\n")
            sys.stdout.flush()
        root.lay_down(zone.path, zone.name)
        registry.set_state(zone.name, "installed")
        instance.add(zone.name)


def uninstall(zone: Zone, words: list[str]) -> None:
    modelled("uninstall", words, "-F")
    sane(zone, "uninstall", unsafe=True)
    if "-F" not in words and not sure(f"Are you sure you want to uninstall zone {zone.name}"):
        return
    with registry.Exclusively(zone.name):
        below = root.below(f"{zone.path}/root")
        if below:
            raise Refused(mounted(zone, f"{zone.path}/root", below))
        registry.set_state(zone.name, "incomplete")
        warning = root.clean_up(zone.path)
        if warning:
            sys.stderr.write(f"{warning}\n")
        registry.set_state(zone.name, "configured")
        instance.remove(zone.name)


def sure(question: str) -> bool:
    """Raises Refused without a terminal."""
    if not os.isatty(0):
        raise Refused("Input not from terminal and -F not specified: uninstall not done.")
    while True:
        sys.stdout.write(f"{question} (y/[n])? ")
        sys.stdout.flush()
        answer = sys.stdin.readline().lower()
        if answer[:1] in ("", "\n", "n", "y"):
            return answer[:1] == "y"


def mounted(zone: Zone, place: str, below: list[str]) -> str:
    return "\n".join([f"These file systems are mounted on subdirectories of {place}.\n",
                      *(f"zoneadm: zone '{zone.name}':   {one}\n" for one in below)]).rstrip("\n")


def attach(zone: Zone, words: list[str]) -> None:
    """-F does no checks and runs no hook of the brand; -U is -u that takes an incomplete zone too."""
    if "-n" in words:
        dry_run(words)
        return
    modelled("attach", words, "-F", "-u", "-U")
    sane(zone, "attach", unsafe=True, force="-U" in words)
    verified(zone, "attach")
    with registry.Exclusively(zone.name):
        if "-F" not in words:
            brand_attach(zone, "-u" in words or "-U" in words)
        if not check.zonepath(zone, zone.path, "attach"):
            sys.stderr.write(f"could not verify zonepath {zone.path} because of the above errors.\n")
            raise Refused("")
        detached = f"{zone.path}/{DETACHED}"
        if os.path.exists(detached):
            if "-F" in words:
                os.replace(detached, f"{zone.path}/SUNWattached.xml")
            else:
                os.unlink(detached)
        registry.set_state(zone.name, "installed")
        instance.add(zone.name)


def brand_attach(zone: Zone, update: bool) -> None:
    """The brand's attach hook: a root, and packages that fit the host's. Raises Refused."""
    if not os.path.isdir(zone.path):
        return                          # said when the zonepath is verified
    if not root.present(zone.path):
        sys.stderr.write(f"ERROR: Missing /etc at {zone.path}/root.\n")
        raise Refused("")
    own = config.load(zone.name)
    has, host = root.release(zone.path), here().version
    if own is None or own.get("brand") not in root.PACKAGED or has == host:
        return
    if not update:
        sys.stderr.write(OUT_OF_SYNC.format(host=host, zone=has, name=zone.name))
        raise Refused("")
    root.set_release(zone.path)


def dry_run(words: list[str]) -> None:
    """-n MANIFEST: could a zone with this configuration be attached? It need not be configured here."""
    if "-F" in words:
        raise Refused("-F and -n flags are mutually exclusive")
    where = words[words.index("-n") + 1:][:1]
    if not where:
        raise Misused
    try:
        if where[0] == "-":
            text = sys.stdin.buffer.read()
        else:
            with open(where[0], "rb") as file:
                text = file.read()
    except OSError as failed:
        raise Refused(f"could not open manifest path {where[0]}: {failed.strerror}") from failed
    try:
        own = config.read(text)
    except ValueError:
        what = "Input is not a valid XML file" if where[0] == "-" else f"{where[0]} is not an XML file"
        raise Refused(what) from None
    if own.get("brand") not in config.brands():
        raise Refused("missing or invalid brand")


def detach(zone: Zone, words: list[str]) -> None:
    modelled("detach", words, "-n", "-F")
    own = config.load(zone.name) or config.blank()
    if "-n" in words:
        sys.stdout.write(config.written(zone.name, own))
        return
    sane(zone, "detach", unsafe=True)
    with registry.Exclusively(zone.name):
        below = root.below(zone.path)
        if below:
            sys.stderr.write(f"These file systems are mounted on subdirectories of {zone.path}.\n" + "".join(
                f"zoneadm: zone '{zone.name}':   {one}\n\n" for one in below))
            raise Refused("")
        registry.replace(f"{zone.path}/{DETACHED}", config.written(zone.name, own))
        registry.set_state(zone.name, "configured")
        instance.remove(zone.name)


def mark(zone: Zone, words: list[str]) -> None:
    """Only -F takes another state than incomplete; that is for the brands' own scripts."""
    wanted = [word for word in words if word != "-F"]
    free = ("incomplete", "unavailable") if here().zone_unavailable else ("incomplete",)
    if len(wanted) != 1 or wanted[0] not in ORDER or wanted[0] not in free and "-F" not in words:
        raise Misused
    sane(zone, "mark", unsafe=True)
    with registry.Exclusively(zone.name):
        registry.set_state(zone.name, wanted[0])


def clone(zone: Zone, words: list[str]) -> None:
    method, snapshot, source = copying.clone_words(words)
    if not source:
        raise Misused
    sane(zone, "clone", unsafe=True)
    verified(zone, "clone")
    other = registry.index().get(source)
    if source == "global":
        raise Refused("clone operation is invalid for the global zone.")
    if other is None:
        sys.stderr.write(f"zoneadm: {source}: could not get state: No such zone configured\n")
        raise Refused("")
    up = registry.running(source)
    if up is not None:
        raise Refused(f"clone operation is invalid for {up.state} zones.")
    if other.state != "installed":
        sys.stderr.write(f"zoneadm: zone {source} is {other.state}; installed is required.\n")
        raise Refused("")
    with registry.Exclusively(zone.name):
        registry.set_state(zone.name, "incomplete")
        copying.clone(other.path, zone.path, method == "copy", snapshot)
        registry.set_state(zone.name, "installed")
        instance.add(zone.name)


def move(zone: Zone, words: list[str]) -> None:
    if len(words) != 1 or words[0].startswith("-"):
        raise Misused
    sane(zone, "move", unsafe=True)
    verified(zone, "move")
    if not check.zonepath(zone, words[0], "move"):
        raise Refused("")
    if os.listdir(words[0]):
        sys.stderr.write(f"could not move zone to {words[0]}: directory not empty\n")
        raise Refused("")
    with registry.Exclusively(zone.name):
        copying.move(zone.path, words[0])
        own = config.load(zone.name) or config.blank()
        own.scalars["zonepath"] = words[0]
        config.save(zone.name, own)
        with registry.Changing() as zones:
            zones[zone.name].path = words[0]


# --- from state to state

def told(zone: Zone, verb: str, fails: bool, *words: str) -> None:
    """Have zoneadmd do it; what it says is passed on. `fails`: zoneadm adds its own sentence. Raises Refused."""
    from sunlab.zones.zoneadmd import ZoneBroken
    if zone.state in ("configured", "incomplete", "unavailable") and "-f" not in words:
        sys.stderr.write(f"zone '{zone.name}': cannot manage a zone which is in state '{zone.state}'\n")
        raise Refused("could not start zoneadmd")
    try:
        status, text = calls.call(zone.name, verb, *words)
    except ZoneBroken as broken:
        raise Refused(str(broken)) from broken
    sys.stderr.write(text)
    if status:
        raise Refused("call to zoneadmd failed" if fails else "")


def boot_arguments(words: list[str], own: str) -> str:
    """What follows the options that are zoneadm's `own`; -s among them is an old way to say it. Raises Misused."""
    words, said = list(words), ""
    while words and words[0].startswith("-") and words[0] != "--":
        word = words.pop(0)
        if set(word[1:]) - set(own):
            raise Misused
        if "s" in word:
            said = "-s"
    text = " ".join([said, *(words[1:] if words[:1] == ["--"] else words)]).strip()
    if len(text) > bootargs.LONGEST:
        raise Refused("Boot argument list too long")
    return text


def reached(zone: Zone) -> None:
    """Solaris 11.4: an installed zone whose storage is not there becomes unavailable. Raises Refused."""
    if here().zone_unavailable and registry.running(zone.name) is None and not root.present(zone.path):
        registry.set_state(zone.name, "unavailable")
        raise Refused(f"{zone.path}/root cannot be reached; the zone is unavailable.")


def boot(zone: Zone, words: list[str]) -> None:
    arguments = boot_arguments(words, "s")
    sane(zone, "boot")
    reached(zone)
    verified(zone, "boot")
    with instance.Acting(zone.name):
        told(zone, "boot", True, arguments)


def ready(zone: Zone, words: list[str]) -> None:
    none(words)
    sane(zone, "ready")
    reached(zone)
    verified(zone, "ready")
    with instance.Acting(zone.name):
        told(zone, "ready", True)


def halt(zone: Zone, words: list[str]) -> None:
    none(words)
    sane(zone, "halt")
    with instance.Acting(zone.name):
        told(zone, "halt", False)


def reboot(zone: Zone, words: list[str]) -> None:
    """Unlike shutdown -r, without its services' stop methods."""
    arguments = boot_arguments(words, "")
    sane(zone, "reboot", running=True)
    verified(zone, "reboot")
    with instance.Acting(zone.name):
        told(zone, "reboot", False, arguments)


def shutdown(zone: Zone, words: list[str]) -> None:
    """Let the zone's own SMF stop its services, then end it; -r boots it again."""
    arguments = boot_arguments(words, "r")
    again = "-r" in words[:1]
    if arguments and not again:
        raise Misused
    sane(zone, "shutdown", running=True)
    at = registry.running(zone.name)
    if at is not None and at.state in ("ready", "mounted"):
        sys.stderr.write(f"zone '{zone.name}': shutdown operation is invalid for zones in state '{at.state}'\n")
        raise Refused("")
    with instance.Acting(zone.name):
        end_orderly(zone)
        if again:
            sane(zone, "boot")
            told(zone, "boot", False, arguments)


def end_orderly(zone: Zone) -> None:
    from sunlab.zones import ending
    if not ending.orderly(zone.name, SERVICES_S):
        sys.stderr.write(f"zone '{zone.name}': unable to shutdown zone\n")
        raise Refused("")
    if registry.running(zone.name) is not None:         # a guest ends by itself
        told(zone, "halt", False)


def sysboot(zone: Zone, words: list[str]) -> None:
    """For the service that boots zones: a hook of brands that the lab's have not."""
    sane(zone, "sysboot", unsafe=True)


# --- private: for programs that update a zone's software

def mount(zone: Zone, words: list[str]) -> None:
    """The zone's file systems below ZONEPATH/lu/a; -f: of an incomplete zone too."""
    if set(words) - {"-f"}:
        raise Misused
    sane(zone, "mount", force="-f" in words)
    verified(zone, "mount")
    told(zone, "mount", True, *words)


def unmount(zone: Zone, words: list[str]) -> None:
    none(words)
    sane(zone, "unmount")
    told(zone, "unmount", True)
