"""useradd, usermod, roleadd and rolemod: lines of /etc/passwd, /etc/shadow and /etc/user_attr."""
import getopt
import os
import sys
from typing import Dict, List

from sunlab.rbac import records
from sunlab.rbac.database import FILES, has_account, lines_of, load

OPTIONS = "A:P:R:K:u:g:c:d:s:m"
FIRST_UID = 100


def attribute_line(lines: List[str], user: str, changes: Dict[str, str]) -> List[str]:
    """user_attr with the user's attributes changed; an empty value takes one away. Pure."""
    old = records.names(lines).get(user, {})
    new = {key: value for key, value in {**old, **changes}.items() if value}
    text = ";".join(f"{key}={value}" for key, value in new.items())
    kept = [line for line in lines if line.split(":")[0] != user]
    return [*kept, f"{user}::::{text}\n"] if new else kept


def combined(old: str, asked: str) -> str:
    """-A and -P: a list replaces; +list adds to it, -list takes from it (usermod(8) of Solaris 11). Pure."""
    names, had = records.listed(asked.lstrip("+-")), records.listed(old)
    if asked.startswith("+"):
        return ",".join(dict.fromkeys(had + names))
    if asked.startswith("-"):
        return ",".join(name for name in had if name not in names)
    return ",".join(names)


def free_uid(lines: List[str]) -> int:
    taken = {int(line.split(":")[2]) for line in lines if line.count(":") >= 6 and int(line.split(":")[2]) < 60000}
    return max(taken | {FIRST_UID - 1}) + 1


def changes_of(options: Dict[str, str], pairs: List[str], old: Dict[str, str]) -> Dict[str, str]:
    keys = {"-A": "auths", "-P": "profiles", "-R": "roles"}
    found = {key: combined(old.get(key, ""), options[letter]) for letter, key in keys.items() if letter in options}
    for pair in pairs:
        key, _, value = pair.partition("=")
        found[key] = combined(old.get(key, ""), value) if key in keys.values() else value
    return found


def run(command: str, argv: List[str]) -> int:
    try:
        listed, operands = getopt.getopt(argv, OPTIONS)
    except getopt.GetoptError as wrong:
        sys.stderr.write(f"UX: {command}: ERROR: {wrong}.\n")
        return 2
    options = dict(listed)
    pairs = [value for letter, value in listed if letter == "-K"]
    adds = command.endswith("add")
    wrong_text = ""
    if len(operands) != 1:
        sys.stderr.write(f"usage: {command} [-A auths] [-P profiles] [-R roles] [-K key=value] name\n")
        return 2
    user = operands[0]
    if os.getuid() != 0:
        wrong_text = "Permission denied."
    elif has_account(user) is adds:
        wrong_text = f"{user} is already in use.  Choose another." if adds else f"{user} does not exist."
    elif not adds and set(options) & {"-u", "-g", "-c", "-d", "-s", "-m"}:
        wrong_text = "only -A -P -R -K are modelled in this lab."
    unknown = [p for p in records.listed(options.get("-P", "").lstrip("+-")) if p not in load().profiles]
    if unknown and not wrong_text:
        wrong_text = f"{unknown[0]} is not a valid profile name."
    if wrong_text:
        sys.stderr.write(f"UX: {command}: ERROR: {wrong_text}\n")
        return 9 if "already" in wrong_text else 6 if "exist" in wrong_text else 1
    write(user, options, pairs, adds, command.startswith("role"))
    return 0


def write(user: str, options: Dict[str, str], pairs: List[str], adds: bool, role: bool) -> None:
    if adds:
        accounts = lines_of("/etc/passwd")
        home = options.get("-d", f"/export/home/{user}")
        uid = int(options.get("-u", free_uid(accounts)))
        gid = int(options.get("-g", 10))
        shell = options.get("-s", "/usr/bin/sh")
        replace("/etc/passwd", [*accounts, f"{user}:x:{uid}:{gid}:{options.get('-c', '')}:{home}:{shell}\n"], 0o644)
        replace("/etc/shadow", [*lines_of("/etc/shadow"), f"{user}:UP:::::::\n"], 0o600)
        if "-m" in options:
            os.makedirs(home, exist_ok=True)
            os.chown(home, uid, gid)
    path = f"/{FILES['user']}"
    lines = lines_of(path)
    changes = changes_of(options, pairs, records.names(lines).get(user, {}))
    if adds and role:
        changes["type"] = "role"
    replace(path, attribute_line(lines, user, changes), 0o644)


def replace(path: str, lines: List[str], mode: int) -> None:
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        os.chmod(file.fileno(), mode)
        file.writelines(lines)
    os.rename(f"{path}.new", path)
