"""Which system a node stands for, and where the two differ: the lab file's `platform:`. Imports little: starts fast."""
from typing import NamedTuple, Tuple

FILE = "/etc/sunlab-platform"


class Platform(NamedTuple):
    """Each difference is a field, named for what the system does; the code asks for the field, never for the name."""
    name: str
    version: str                        # uname -v
    starts: int                         # svc.startd: this many starts within `starts_within_s` are too many
    starts_within_s: float
    child_count: int                    # failed exits of a child service, more than one a second, that delay it by 1 s
    anet: bool                          # `zonecfg create` without -b brings an automatic interface
    zone_fields: str                    # what `zoneadm list -p` has after the seven common fields
    brands: Tuple[str, ...]             # of zones, the default first


ILLUMOS = Platform("illumos", "omnios-r151054-sunlab", starts=10, starts_within_s=600.0, child_count=10,
                   anet=False, zone_fields="", brands=("ipkg", "lipkg", "sparse"))
#: The mean gap of the last ten starts is under 1 s.
SOLARIS = Platform("solaris11.4", "11.4.42.111.0", starts=10, starts_within_s=9.0, child_count=10,
                   anet=True, zone_fields=":-:none:", brands=("solaris",))
PLATFORMS = {one.name: one for one in (ILLUMOS, SOLARIS)}


def here() -> Platform:
    """This node's; illumos where nothing is said."""
    try:
        with open(FILE, encoding="ascii") as file:
            return PLATFORMS[file.read().strip()]
    except FileNotFoundError:
        return ILLUMOS
