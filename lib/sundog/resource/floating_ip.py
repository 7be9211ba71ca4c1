"""floating-ip: an address that clients know the group by. Temporary, so that a rebooted host comes back without it.

The address object's name is made from the address, so start, stop and probe find it without being told more.
"""
import socket
import time
from typing import Iterator, List, NamedTuple, Optional, Tuple

from sundog.config.fields import DIGITS, LETTERS, Cidr, Field, strangers
from sundog.errors import ConfigProblem, SundogError
from sundog.resource.terms import Condition, Permit, Problem, State
from sundog.solaris import ipadm
from sundog.solaris.host import Host
from sundog.solaris.ipadm import AddressObject

#: Duplicate address detection: up to some seconds, and longer on links with spanning tree (in.ndpd(8), ip(4P)).
DETECTION_S = 30.0
PAUSES_S = (0.01, 0.02, 0.05, 0.1)


class AddressInUse(SundogError):
    """Another machine on the network answers for the address."""


class AddressNotReady(SundogError):
    """The address did not become usable in time."""


class Interface(Field):
    """An IP interface: letters, digits and '_', beginning with a letter and ending with a digit."""
    kind = "the name of an interface"
    example = "net0, as 'ipadm show-if' prints it"

    @classmethod
    def objection(cls, text: str) -> str:
        if not text or text[0] not in LETTERS or text[-1] not in DIGITS:
            return "it does not begin with a letter and end with a digit"
        return strangers(text, "_.") or ("it is longer than 31 characters" if len(text) > 31 else "")


class Params(NamedTuple):
    address: Cidr
    interface: Optional[Interface] = None


def start(host: Host, p: Params, permit: Permit) -> None:
    """Bring the address up and wait until it can be used. Raises AddressInUse, AddressNotReady, ConfigProblem."""
    present = ipadm.addresses(host.run)
    refuse_foreign(p, present)
    mine = ours(p, present)
    if mine is not None and mine.state == "ok":
        return
    if mine is not None and mine.state != "tentative":
        ipadm.delete_address(host.run, mine.name)
        mine = None
    name = mine.name if mine is not None else f"{interface_for(p, present)}/{label(p.address)}"
    if mine is None:
        create(host, name, p.address)
    settle(host, name, p.address)


def create(host: Host, name: str, cidr: str) -> None:
    try:
        ipadm.create_address(host.run, name, cidr)
    except ipadm.InterfaceMissing:
        # Solaris wants the interface made first; illumos makes it by itself.
        ipadm.create_interface(host.run, name.partition("/")[0])
        ipadm.create_address(host.run, name, cidr)


def settle(host: Host, name: str, cidr: Cidr) -> None:
    """Wait for the end of duplicate address detection; an address that is not usable is taken away again."""
    deadline = time.monotonic() + DETECTION_S
    for pause_s in patience():
        state = next((one.state for one in ipadm.addresses(host.run, name)), "absent")
        if state == "ok":
            return
        if state == "tentative" and time.monotonic() < deadline:
            time.sleep(pause_s)
            continue
        ipadm.delete_address(host.run, name)
        if state == "duplicate":
            who = holder(host, cidr)
            raise AddressInUse(f"address {cidr} is held by another machine on {name.partition('/')[0]}",
                               f"find it: arp {cidr.address}, and 'is using my IP address' in /var/adm/messages; "
                               "a node that should have let go of it has not", who or None)
        raise AddressNotReady(f"address {cidr} is {state} on {name.partition('/')[0]} after {DETECTION_S:g} s",
                              f"ipadm show-if {name.partition('/')[0]}; dladm show-link")


def holder(host: Host, cidr: Cidr) -> str:
    """Who answers for an IPv4 address, in the words of arp(8); "" if that is not known."""
    if ":" in cidr:
        return ""
    try:
        return ipadm.neighbour(host.run, cidr.address)
    except SundogError as error:
        # That it is held is what the operator must know first.
        return error.what


def patience() -> Iterator[float]:
    """Short pauses first: most addresses are usable at once."""
    yield from PAUSES_S
    while True:
        yield PAUSES_S[-1]


def stop(host: Host, p: Params) -> None:
    """Take the address away; success if it is not there. One that somebody else configured is left alone."""
    mine = ours(p, ipadm.addresses(host.run))
    if mine is not None:
        ipadm.delete_address(host.run, mine.name)


def probe(host: Host, p: Params) -> State:
    mine = ours(p, ipadm.addresses(host.run))
    if mine is None:
        return State(Condition.OFFLINE)
    known = {"ok": Condition.ONLINE, "tentative": Condition.UNKNOWN}
    return State(known.get(mine.state, Condition.FAILED), f"{mine.name} is {mine.state}")


def preflight(host: Host, p: Params) -> List[Problem]:
    """Is there an interface for the address, does it work, and is the address not here already?"""
    present = ipadm.addresses(host.run)
    holder = next((one for one in present if same(one.address, p.address.address)), None)
    if holder is not None:
        return [Problem(f"address {p.address} is on {holder.name} here although its group does not run here",
                        f"ipadm delete-addr {holder.name}")]
    try:
        name = interface_for(p, present)
    except ConfigProblem as wrong:
        return [Problem(wrong.what, wrong.remedy)]
    state = ipadm.interfaces(host.run).get(name, "")
    # One that is not there yet is made at the start; one without an address that is up is down, until it has one.
    if state in ("", "ok", "down"):
        return []
    return [Problem(f"interface {name} is {state}, so {p.address} cannot be used", f"dladm show-link {name}")]


# ---- names and numbers

def label(cidr: Cidr) -> str:
    """The second half of the address object's name: at most 31 letters and digits, a letter first (ipadm(8))."""
    _, number = numeric(cidr.address)
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return "sd" + digits


def ours(p: Params, present: List[AddressObject]) -> Optional[AddressObject]:
    return next((one for one in present if one.name.partition("/")[2] == label(p.address)), None)


def refuse_foreign(p: Params, present: List[AddressObject]) -> None:
    """An address that somebody configured for this host itself would outlive the group here."""
    mine = ours(p, present)
    for one in present:
        if one is not mine and same(one.address, p.address.address):
            raise ConfigProblem(f"address {p.address} is configured on this host outside the cluster, as {one.name}",
                                f"ipadm delete-addr {one.name}")


def interface_for(p: Params, present: List[AddressObject]) -> str:
    """The interface named, or the first that has an address in the same network. Raises ConfigProblem."""
    if p.interface is not None:
        return p.interface
    family, wanted = numeric(p.address.address)
    below = (32 if family == socket.AF_INET else 128) - p.address.prefix
    for one in present:
        if not one.address or one.state != "ok" or one.name.partition("/")[2].startswith("sd"):
            continue
        kind, number = numeric(one.address)
        if kind == family and number >> below == wanted >> below:
            return one.interface
    raise ConfigProblem(f"no interface of this host has an address in the network of {p.address}",
                        "give this host an address in it, or name an interface for the address in the configuration")


def numeric(address: str) -> Tuple[int, int]:
    """Family and value of an address; (0, 0) for what is neither IPv4 nor IPv6, as an address yet to be got."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return family, int.from_bytes(socket.inet_pton(family, address), "big")
    except OSError:
        return 0, 0


def same(one: str, other: str) -> bool:
    return bool(one) and numeric(one) == numeric(other)
