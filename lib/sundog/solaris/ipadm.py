"""IP addresses and interfaces through ipadm(8). Addresses are only ever made temporary (-t)."""
from typing import Dict, List, NamedTuple

from sundog.errors import SundogError
from sundog.solaris.columns import fields
from sundog.solaris.run import CommandFailed, Run

IPADM = "/usr/sbin/ipadm"
ARP = "/usr/sbin/arp"
PATIENCE_S = 30.0


class InterfaceMissing(SundogError):
    """There is no IP interface of that name."""


class AddressObject(NamedTuple):
    """One address object: "net0/web", its kind, its state (ok, tentative, duplicate, down, …), its address/prefix."""
    name: str
    kind: str
    state: str
    cidr: str

    @property
    def interface(self) -> str:
        return self.name.partition("/")[0]

    @property
    def address(self) -> str:
        """Without prefix, zone identifier or the far end of a tunnel."""
        return self.cidr.partition("->")[0].partition("/")[0].partition("%")[0]


def addresses(run: Run, *names: str) -> List[AddressObject]:
    """All address objects, or those named. Raises CommandFailed; an unknown name gives none."""
    done = run([IPADM, "show-addr", "-p", "-o", "addrobj,type,state,addr", *names], timeout_s=PATIENCE_S)
    if not done.ok:
        if names and "not found" in done.said:
            return []
        raise CommandFailed(done)
    return [AddressObject(*(fields(line) + [""] * 4)[:4]) for line in done.out.splitlines() if line]


def interfaces(run: Run) -> Dict[str, str]:
    """IP interface -> state (ok, down, failed, …). Raises CommandFailed."""
    done = run([IPADM, "show-if", "-p", "-o", "ifname,state"], timeout_s=PATIENCE_S)
    if not done.ok:
        raise CommandFailed(done)
    rows = (fields(line) for line in done.out.splitlines() if line)
    return {row[0]: row[1] for row in rows if len(row) >= 2}


def create_address(run: Run, name: str, cidr: str) -> None:
    """Make a static address until the next boot. It may still be `tentative`, or `duplicate`: look at its state.

    Raises InterfaceMissing, CommandFailed.
    """
    done = run([IPADM, "create-addr", "-t", "-T", "static", "-a", cidr, name], timeout_s=PATIENCE_S)
    if done.ok:
        return
    if "nterface" in done.said and ("not exist" in done.said or "No such" in done.said or "not found" in done.said):
        interface = name.partition("/")[0]
        raise InterfaceMissing(f"there is no interface {interface}", "ipadm show-if; dladm show-link", done.last_line)
    raise CommandFailed(done)


def create_interface(run: Run, name: str) -> None:
    """Make an IP interface on a link until the next boot: create-ip, which older illumos calls create-if."""
    done = run([IPADM, "create-ip", "-t", name], timeout_s=PATIENCE_S)
    if not done.ok and "nterface already exists" not in done.said:
        older = run([IPADM, "create-if", "-t", name], timeout_s=PATIENCE_S)
        if not older.ok:
            raise CommandFailed(done, "dladm show-link names the links of this host")


def delete_address(run: Run, name: str) -> None:
    """Raises CommandFailed; an object that is not there is no error."""
    done = run([IPADM, "delete-addr", name], timeout_s=PATIENCE_S)
    if not done.ok and "not found" not in done.said:
        raise CommandFailed(done)


def neighbour(run: Run, address: str) -> str:
    """What arp(8) knows of an IPv4 neighbour, in its words; "" if nothing."""
    done = run([ARP, address], timeout_s=PATIENCE_S)
    return done.last_line if done.ok else ""
