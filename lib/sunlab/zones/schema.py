"""What zonecfg(8) knows: the properties of a zone, its resources and theirs, in the order in which it shows them."""
from __future__ import annotations

from sunlab.platform import here

#: In the order of `zonecfg info`; export has zonepath and brand in this order too.
SCALARS = ("zonepath", "brand", "autoboot", "bootargs", "pool", "limitpriv", "scheduling-class", "ip-type", "hostid",
           "fs-allowed")
SOLARIS_SCALARS = ("zonepath", "brand", "autoboot", "autoshutdown", "boot-priority", "bootargs", "file-mac-profile",
                   "pool", "limitpriv", "scheduling-class", "ip-type", "hostid", "tenant", "fs-allowed")
CHOICES = {"autoboot": ("true", "false"), "ip-type": ("shared", "exclusive"),
           "autoshutdown": ("shutdown", "halt", "suspend"), "boot-priority": ("high", "normal", "low")}
#: Properties that stand for a resource control, which is what is kept (libzonecfg.c, aliases).
ALIASES = {"max-lwps": "zone.max-lwps", "max-processes": "zone.max-processes", "max-shm-memory": "zone.max-shm-memory",
           "max-shm-ids": "zone.max-shm-ids", "max-msg-ids": "zone.max-msg-ids", "max-sem-ids": "zone.max-sem-ids",
           "cpu-shares": "zone.cpu-shares"}
#: The same within a resource.
INNER_ALIASES = {("capped-memory", "swap"): "zone.max-swap", ("capped-memory", "locked"): "zone.max-locked-memory",
                 ("capped-cpu", "ncpus"): "zone.cpu-cap"}
LOWEST = {"zone.max-lwps": 100, "zone.max-processes": 100, "zone.cpu-shares": 1}
UNITS = "KMGT"


class Kind:
    """A kind of resource. `many`: its property that has several values. `single`: a zone has at most one."""
    __slots__ = ("properties", "required", "unique", "many", "single")

    def __init__(self, properties: str, required: str, unique: str, many: str = "", single: bool = False) -> None:
        self.properties, self.required = tuple(properties.split()), tuple(required.split())
        self.unique = tuple(unique.split())         # what tells one from another
        self.many, self.single = many, single


KINDS = {
    "fs": Kind("dir special raw type", "dir special type", "dir", many="options"),
    "net": Kind("address allowed-address physical defrouter", "physical", "physical address allowed-address"),
    "device": Kind("match", "match", "match"),
    "dedicated-cpu": Kind("ncpus importance", "ncpus", "", single=True),
    "capped-cpu": Kind("ncpus", "", "", single=True),
    "capped-memory": Kind("physical swap locked", "", "", single=True),
    "attr": Kind("name type value", "name type value", "name"),
    "dataset": Kind("name", "name", "name"),
    "admin": Kind("user auths", "user auths", "user"),
    "rctl": Kind("name", "name", "name", many="value"),
}
ANET = Kind("linkname lower-link allowed-address configure-allowed-address defrouter allowed-dhcp-cids link-protection "
            "mac-address mac-prefix mac-slot vlan-id priority rxrings txrings mtu maxbw bwshare rxfanout vsi-typeid "
            "vsi-vers vsi-mgrid etsbw-lcl cos pkey linkmode evs vport", "linkname", "linkname")
#: Of an anet that says nothing else.
ANET_DEFAULTS = {"linkname": "net0", "lower-link": "auto", "configure-allowed-address": "true",
                 "link-protection": "mac-nospoof", "mac-address": "auto"}


def kinds() -> dict[str, Kind]:
    """Those of this system."""
    if not here().anet:
        return KINDS
    net = Kind("address allowed-address configure-allowed-address physical defrouter", "physical",
               "physical address allowed-address")
    dataset = Kind("name alias", "name", "name")
    dependency = Kind("name fmri grouping", "fmri", "name fmri")
    return {**KINDS, "net": net, "dataset": dataset, "anet": ANET, "smf-dependency": dependency}


def scalars() -> tuple[str, ...]:
    return SOLARIS_SCALARS if here().anet else SCALARS


def defaults() -> dict[str, str]:
    """Of a zone of which nothing else is said: `create -b`."""
    if here().anet:
        return {"zonepath": "/system/zones/%{zonename}", "brand": here().brands[0], "autoboot": "false",
                "autoshutdown": "shutdown", "ip-type": "exclusive"}
    return {"brand": here().brands[0], "autoboot": "false", "ip-type": "shared"}


def in_bytes(text: str) -> int | None:
    """A number with a scale, as zonecfg_str_to_bytes reads it; None for what is none."""
    number, unit = text.strip(), ""
    if number[-1:].upper() in UNITS and number:
        number, unit = number[:-1].strip(), number[-1].upper()
    try:
        value = float(number)
    except ValueError:
        return None
    return int(value * 1024 ** (UNITS.index(unit) + 1 if unit else 0)) if value >= 0 else None


def in_units(number: int) -> str:
    """Shown as bytes_to_units shows it: 512M, 1.5G."""
    if number < 1024:
        return str(number)
    left, unit, before = number, -1, 0
    while left >= 1024 and unit < len(UNITS) - 1:
        unit, before, left = unit + 1, left, (left + 512) >> 10
    if before % 1024 and before >> 10 < 10:
        return f"{before / 1024:.1f}{UNITS[unit]}"
    return f"{left}{UNITS[unit]}"


def limit(value: str) -> str:
    """The limit in a resource control's value `(priv=…,limit=N,action=…)`."""
    return parts(value).get("limit", "")


def parts(value: str) -> dict[str, str]:
    found = {}
    for piece in value.strip("()").split(","):
        name, _, text = piece.partition("=")
        found[name.strip()] = text.strip()
    return found
