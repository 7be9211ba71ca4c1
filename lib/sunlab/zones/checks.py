"""May a zone's property have this value, and is a resource complete? Pure; sentences of zonecfg.c."""
from __future__ import annotations

from sunlab.platform import here
from sunlab.zones import schema
from sunlab.zones.config import Resource, ZoneConfig

#: Brands that the system has and the lab does not.
ELSEWHERE = ("solaris-kz", "solaris10", "native", "joyent", "joyent-minimal", "kvm", "emu", "illumos", "pkgsrc", "s10",
             "labeled", "cluster")
GROUPINGS = ("require_all", "require_any", "optional_all", "exclude_all")
OUTSIDE = "sunlab: {}: not modelled in this lab"


def scalar(name: str, value: str) -> str | None:
    """The first objection to a property's value, or None."""
    if name == "zonepath":
        return zonepath(value)
    if name in schema.CHOICES and value not in schema.CHOICES[name]:
        choices = " or ".join(f"'{one}'" for one in schema.CHOICES[name])
        return f"{name} value must be {choices}."
    if name == "pool" and value.startswith("SUNW"):
        return "pool names starting with SUNW are reserved."
    if name == "hostid" and value and (len(value.removeprefix("0x")) > 8 or not all(
            letter in "0123456789abcdefABCDEF" for letter in value.removeprefix("0x"))):
        return f"hostid string is too large: {value}" if len(value) > 10 else "hostid: Specified property is invalid"
    if name == "file-mac-profile" and value not in ("", "none"):
        return OUTSIDE.format(f"file-mac-profile={value}")
    if name == "brand" and value in ELSEWHERE and value not in here().brands:
        return OUTSIDE.format(f"brand {value}")
    return None


def zonepath(value: str) -> str | None:
    if not value.startswith("/"):
        return f"{value} is not an absolute path."
    if not value.strip("/"):
        return "/ is not allowed as a zonepath."
    return None


def address(value: str, host: bool = False) -> str | None:
    """ADDRESS[/PREFIX] or a host name (validate_net_address_syntax); several, with commas, in an allowed-address."""
    from _socket import AF_INET, AF_INET6, inet_pton
    plain, slash, prefix = value.partition("/")
    bits = int(prefix) if prefix.isdigit() else -1 if slash else 0
    for family, name, longest in ((AF_INET6, "IPv6", 128), (AF_INET, "IPv4", 32)):
        try:
            inet_pton(family, plain)
        except OSError:
            continue
        if family == AF_INET6 and not slash and not host:
            return f"{value}: IPv6 addresses require /prefix-length suffix."
        return None if 0 <= bits <= longest else f"{value}: {name} address prefix lengths must be 0 - {longest}."
    if not plain[:1].isalnum() or not plain.isascii() or not plain.replace("-", "a").replace(".", "a").isalnum():
        return f"{plain}: bogus host name or network address syntax"
    return None


def inner(kind: str, name: str, value: str) -> str | None:
    """The first objection to the value of a resource's property."""
    if kind in ("net", "anet") and name in ("address", "allowed-address", "defrouter"):
        each = value.split(",") if name != "address" else [value]
        return next((wrong for wrong in (address(one, name == "defrouter") for one in each) if wrong), None)
    if (kind, name) in (("net", "physical"), ("anet", "linkname")) and not link_name(value):
        return f"{value}: invalid physical interface name"
    if (kind, name) == ("fs", "type") and (not value or "/" in value or value in (".", "..")):
        return f'"{value}" is not a valid type.'
    if (kind, name) == ("rctl", "name") and not value.startswith("zone."):
        return f"'{value}' is not a valid zone rctl name."
    if (kind, name) == ("dedicated-cpu", "ncpus"):
        low, _, high = value.partition("-")
        if not low.isdigit() or not (high or low).isdigit() or not 1 <= int(low) <= int(high or low):
            return "ncpus property is out of range."
    if (kind, name) == ("dedicated-cpu", "importance") and not value.isdigit():
        return "importance property is out of range."
    if kind == "smf-dependency" and name == "grouping" and value not in GROUPINGS:
        return f"grouping value must be one of {', '.join(GROUPINGS)}."
    if kind == "smf-dependency" and name == "fmri" and not value.startswith("svc:/"):
        return f"{value}: not a valid FMRI."
    if name == "configure-allowed-address" and value not in ("true", "false"):
        return f"{name} value must be 'true' or 'false'."
    return None


def link_name(value: str) -> bool:
    return bool(value) and value[0].isalpha() and value[-1].isdigit() and all(
        letter.isalnum() or letter in "_./" for letter in value)


def cap(name: str, value: str) -> tuple[int, str | None]:
    """A memory cap in bytes, or what is wrong with it."""
    size = schema.in_bytes(value)
    least = {"physical": 1 << 20, "swap": 50 << 20}.get(name, 0)
    if size is None:
        sort = "non-negative" if name == "locked" else "positive"
        return 0, f"A {sort} number with a required scale suffix (K, M, G or T) was expected here."
    if size < least:
        return 0, f"{name} value is too small.  It must be at least {schema.in_units(least)}."
    return size, None


def attr(one: Resource) -> list[str]:
    name, kind, value = one.get("name"), one.get("type"), one.get("value")
    wrong = []
    if not name[:1].isalnum():
        wrong.append(f"Invalid attr name {name}: must start with an alpha-numeric character.")
    elif not name.replace("-", "a").replace(".", "a").isalnum():
        wrong.append(f"Invalid attr name {name}: can only contain alpha-numeric characters, plus '-' and '.'.")
    fits = {"boolean": value in ("true", "false"), "int": value.removeprefix("-").isdigit(), "uint": value.isdigit(),
            "string": True}
    if kind not in fits:
        wrong.append(f"invalid attr type '{kind}'")
    elif not fits[kind]:
        wrong.append(f"invalid attr value for type={kind}")
    return wrong


def rctl_value(value: str) -> list[str]:
    found = schema.parts(value)
    wrong = [f"{name} not specified" for name in ("priv", "limit", "action") if not found.get(name)]
    if not wrong and (found["priv"] not in ("basic", "privileged", "system") or not found["limit"].isdigit()
                      or found["action"].partition("=")[0] not in ("none", "deny", "signal")):
        wrong.append("Invalid rctl value specification")
    return wrong


def complete(one: Resource) -> list[str]:
    """What stands against the end of this resource."""
    kind = schema.kinds()[one.kind]
    wrong = [f"{name} not specified" for name in kind.required if not one.get(name)]
    if one.kind == "attr" and not wrong:
        wrong += attr(one)
    if one.kind == "fs":
        wrong += [f"{name} {one.get(name)} is not an absolute path." for name in ("dir", "raw")
                  if one.get(name) and not one.get(name).startswith("/")]
    if one.kind == "rctl" and not one.values:
        wrong.append("no value specified")
    return wrong


def zone(name: str, config: ZoneConfig) -> tuple[list[str], str]:
    """What `verify` says about the whole, and the sentence that it ends with; ([], "") when all is well."""
    wrong: list[str] = []
    last = ""
    if not config.get("zonepath"):
        wrong, last = ["zonepath cannot be empty."], "Required resource missing"
    if config.get("brand") not in here().brands:
        return [*wrong, f"{name}: unknown brand."], "Invalid document"
    exclusive = config.get("ip-type") == "exclusive"
    for net in config.all_of("net"):
        if exclusive and net.get("address"):
            wrong.append("net: address cannot be specified for an exclusive IP type")
        elif not exclusive and not net.get("address"):
            wrong.append("net: address not specified")
        elif not exclusive and net.get("allowed-address"):
            wrong.append("net: allowed-address cannot be specified for a shared IP type")
        elif exclusive and net.get("defrouter") and not net.get("allowed-address"):
            wrong.append(f"net: defrouter for {net.get('physical')} cannot be specified without allowed-address for an "
                         "exclusive IP type")
    if config.all_of("anet") and not exclusive:
        wrong.append("anet: cannot be specified for a shared IP type")
    if wrong and not last:
        last = "Required property missing" if wrong[0].endswith("address not specified") else "Invalid argument"
    if config.all_of("dedicated-cpu"):
        clash = [control for control in ("zone.cpu-shares", "zone.cpu-cap") if config.control(control)]
        wrong += [f"rctl {control} and dedicated-cpu are incompatible." for control in clash]
        last = last or ("Incompatible settings" if clash else "")
    return wrong, last
