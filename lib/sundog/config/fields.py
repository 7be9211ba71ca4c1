"""The kinds of word that a configuration is written in: a name, an address with its prefix, a duration, …

Each is a str, kept as it was written, made by `parse`, which raises BadValue with what is wrong and what to write.
Parameters classes of resource types annotate their fields with them. SMF methods import this page at every start of a
resource: it imports nothing but the errors, and what one kind alone needs it imports when that kind is parsed.
"""
from typing import ClassVar, List, Tuple, Type, TypeVar

from sundog.errors import ConfigProblem

LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = frozenset("0123456789")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}
POOL_WORDS = ("mirror", "raidz", "draid", "spare")

F = TypeVar("F", bound="Field")


class BadValue(ConfigProblem):
    """A value is not of the kind that is asked for; `what` begins with the value, `remedy` shows a right one."""


def quoted(text: str) -> str:
    """`text` as it can be shown in one line of a terminal: cut after 60 characters, nothing unprintable."""
    short = text if len(text) <= 60 else text[:57] + "…"
    return "'" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short) + "'"


class Field(str):
    """A str of one kind. `kind` is what a message calls it, `example` is a right one."""
    kind: ClassVar[str] = "text"
    example: ClassVar[str] = "text"
    #: What only one resource of the whole cluster may hold ("pool", "zone", "address"); empty: anybody may name it.
    exclusive: ClassVar[str] = ""

    @classmethod
    def parse(cls: Type[F], text: str) -> F:
        """`text` as this kind. Raises BadValue."""
        wrong = cls.objection(text)
        if wrong:
            raise BadValue(f"{quoted(text)} is not {cls.kind}: {wrong}", remedy=f"write {cls.hint()}")
        return cls(text)

    @classmethod
    def objection(cls, text: str) -> str:
        """What is wrong with `text` as this kind, or an empty string."""
        return "" if text.isprintable() and text.strip() else "it is empty or has characters that cannot be printed"

    @classmethod
    def hint(cls) -> str:
        return f"it like {cls.example}"

    @property
    def identity(self) -> str:
        """What makes two values the same thing, for `exclusive`."""
        return str(self)


class Name(Field):
    """A name in a cluster: node, link, group, resource. Becomes part of SMF instance names, where a dot separates."""
    kind = "a name"
    example = "web or n1: a letter, then letters, digits, '-' or '_', at most 32 characters"

    @classmethod
    def objection(cls, text: str) -> str:
        if "." in text:
            return "it has a dot, which separates group and resource in the names of SMF instances"
        if not text or text[0] not in LETTERS:
            return "it does not begin with a letter"
        return strangers(text, "-_") or ("it is longer than 32 characters" if len(text) > 32 else "")


def strangers(text: str, also: str) -> str:
    """The first character of `text` that is no ASCII letter or digit nor in `also`, as an objection."""
    odd = next((c for c in text if c not in LETTERS and c not in DIGITS and c not in also), "")
    return f"it has {quoted(odd)}" if odd else ""


class Address(Field):
    """An IPv4 or IPv6 address without prefix."""
    kind = "an address"
    example = "10.0.0.1 or fd00::1"

    @classmethod
    def objection(cls, text: str) -> str:
        import ipaddress
        if "%" in text:
            return "it names an interface"
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return "it has a prefix" if "/" in text else "it is neither IPv4 nor IPv6"
        return ""

    @property
    def identity(self) -> str:
        import ipaddress
        return str(ipaddress.ip_address(str(self)))


class Cidr(Field):
    """An address that a group carries, with the prefix length of its network: 10.0.0.100/24."""
    kind = "an address with prefix"
    example = "10.0.0.100/24 or fd00::100/64"
    exclusive = "address"

    @property
    def address(self) -> str:
        return self.partition("/")[0]

    @property
    def prefix(self) -> int:
        return int(self.partition("/")[2])

    @classmethod
    def objection(cls, text: str) -> str:
        import ipaddress
        if not set(text.partition("/")[2]) <= DIGITS or not text.partition("/")[2] or "%" in text:
            return "it has no prefix length"
        try:
            face = ipaddress.ip_interface(text)
        except ValueError:
            return "it is neither IPv4 nor IPv6 with a prefix length that fits"
        if face.network.num_addresses > 2 and face.ip == face.network.network_address:
            return "it is the network itself, not a host in it"
        if face.version == 4 and face.network.num_addresses > 2 and face.ip == face.network.broadcast_address:
            return "it is the network's broadcast address"
        if face.ip.is_loopback or face.ip.is_multicast or face.ip.is_unspecified:
            return "no host can be reached by it"
        return ""

    @property
    def identity(self) -> str:
        import ipaddress
        return str(ipaddress.ip_address(self.address))


class Network(Field):
    """An IPv4 or IPv6 network: 10.0.0.0/24, no host bits."""
    kind = "a network"
    example = "10.0.0.0/24 or fd00::/64"

    @classmethod
    def objection(cls, text: str) -> str:
        import ipaddress
        if "/" not in text:
            return "it has no prefix length"
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            return "it is neither IPv4 nor IPv6 with a prefix length that fits"
        if text.partition("/")[0] != str(network.network_address):
            return f"the network is {network}"
        return ""


class PoolName(Field):
    """The name of a ZFS pool (zpool(8): a letter first, letters, digits, '_', '-', '.', ':'; some words are taken)."""
    kind = "a pool's name"
    example = "shopweb"
    exclusive = "pool"

    @classmethod
    def objection(cls, text: str) -> str:
        if not text or text[0] not in LETTERS:
            return "it does not begin with a letter"
        if text.startswith(POOL_WORDS) or text == "log":
            return "zpool(8) keeps that word for itself"
        if text[0] == "c" and text[1:2] in DIGITS:
            return "zpool(8) takes it for a disk"
        if text == "rpool":
            return "it is the host's own root pool"
        return strangers(text, "_-.:") or ("it is longer than 255 characters" if len(text) > 255 else "")


class ZoneName(Field):
    """The name of a non-global zone (zonecfg(8): a letter or digit first, then also '-', '_', '.'; at most 63)."""
    kind = "a zone's name"
    example = "web1"
    exclusive = "zone"

    @classmethod
    def objection(cls, text: str) -> str:
        if not text or text[0] not in LETTERS and text[0] not in DIGITS:
            return "it does not begin with a letter or a digit"
        if text == "global" or text.startswith("SUNW"):
            return "zonecfg(8) keeps it for itself"
        return strangers(text, "-_.") or ("it is longer than 63 characters" if len(text) > 63 else "")


class AbsPath(Field):
    """An absolute path on the host."""
    kind = "an absolute path"
    example = "/etc/sundog/key"

    @classmethod
    def objection(cls, text: str) -> str:
        if not text.startswith("/"):
            return "it does not begin with '/'"
        if ".." in text.split("/"):
            return "it has '..' in it"
        return super().objection(text)


class FileName(Field):
    """A file that travels with the configuration: its path beside cluster.yaml, downwards only."""
    kind = "a file beside the configuration"
    example = "zones/web1.cfg"

    @classmethod
    def objection(cls, text: str) -> str:
        parts = text.split("/")
        if text.startswith("/"):
            return "it is an absolute path, and the file travels to every node with the configuration"
        if any(part in ("", ".", "..") for part in parts):
            return "it has an empty, '.' or '..' part"
        if text in ("cluster.yaml", "key"):
            return "the cluster keeps a file of its own by that name in /etc/sundog"
        return strangers(text, "-_./+@")


class Fmri(Field):
    """The full name of an SMF instance (smf(7)): svc:/network/http:apache24."""
    kind = "the name of an SMF instance"
    example = "svc:/network/http:apache24, as 'svcs -H -o FMRI' prints it"

    @classmethod
    def objection(cls, text: str) -> str:
        if not text.startswith("svc:/"):
            return "it does not begin with 'svc:/'"
        service, colon, instance = text[5:].partition(":")
        if not colon or not instance or not service:
            return "it names no instance"
        if service.startswith("system/sundog/"):
            return "it is Sundog's own"
        return strangers(service, "-_.,/") or strangers(instance, "-_.,")


class Command(Field):
    """A command line, split into words as the shell would (quotes, backslashes) but run without one."""
    kind = "a command"
    example = "/opt/app/bin/start --port 80, beginning with an absolute path"

    @classmethod
    def objection(cls, text: str) -> str:
        import shlex
        if super().objection(text):
            return super().objection(text)
        try:
            words = shlex.split(text)
        except ValueError as error:
            return str(error)[:1].lower() + str(error)[1:]
        return "" if words and words[0].startswith("/") else "it does not begin with an absolute path"

    @property
    def words(self) -> List[str]:
        import shlex
        return shlex.split(self)


class Quantity(Field):
    """A number with a unit."""
    units: ClassVar[Tuple[str, ...]] = ()

    @classmethod
    def split_unit(cls, text: str) -> Tuple[str, str]:
        number = text.rstrip("".join(LETTERS))
        return number, text[len(number):]

    @classmethod
    def objection(cls, text: str) -> str:
        number, unit = cls.split_unit(text)
        whole, dot, part = number.partition(".")
        if not whole or not set(whole + part) <= DIGITS or (dot and not part):
            return "it does not begin with a number"
        if len(number) > 12:
            return "the number is too long"
        if not unit:
            return f"it has no unit ({', '.join(cls.units)})"
        if unit not in cls.units:
            return f"{quoted(unit)} is not a unit ({', '.join(cls.units)})"
        return "" if float(number) > 0 else "it is nothing"


class Duration(Quantity):
    """A duration; `seconds` is its length."""
    kind = "a duration"
    example = "500ms, 2s, 5m, 1h or 1d"
    units = tuple(SECONDS)

    @property
    def seconds(self) -> float:
        number, unit = self.split_unit(self)
        return float(number) * SECONDS[unit]


class Size(Quantity):
    """An amount of memory or disk, in powers of 1024; `bytes` is how many."""
    kind = "a size"
    example = "512M or 64G"
    units = tuple(BYTES)

    @property
    def bytes(self) -> int:
        number, unit = self.split_unit(self)
        return int(float(number) * BYTES[unit])


class Word(Field):
    """One of a few words: a subclass names them in `allowed`."""
    kind = "one of the words known here"
    allowed: ClassVar[Tuple[str, ...]] = ()

    @classmethod
    def objection(cls, text: str) -> str:
        return "" if text in cls.allowed else "it is not known"

    @classmethod
    def hint(cls) -> str:
        return " or ".join(cls.allowed)
