"""Reading the databases of a node: /etc/security and /etc/user_attr, and the fragments where the system reads them.

illumos reads the files alone: svc:/system/rbac merges the fragments into them. Solaris 11.4 reads the fragments too.
"""
import os
from typing import List

from sunlab.platform import here
from sunlab.rbac import records
from sunlab.rbac.rights import Database

SECURITY = "etc/security"
#: Each database's file; its fragments are in the folder of that name with .d.
FILES = {"auth": f"{SECURITY}/auth_attr", "prof": f"{SECURITY}/prof_attr", "exec": f"{SECURITY}/exec_attr",
         "user": "etc/user_attr"}


def lines_of(path: str) -> List[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.readlines()
    except (FileNotFoundError, IsADirectoryError):
        return []


def fragments(root: str, kind: str) -> List[str]:
    """The paths of a database's fragments, in the order of their names."""
    folder = f"{root}{FILES[kind]}.d"
    try:
        return [f"{folder}/{name}" for name in sorted(os.listdir(folder)) if not name.startswith(".")]
    except FileNotFoundError:
        return []


def load(root: str = "/", direct: "bool | None" = None) -> Database:
    """What counts now. `direct`: fragments are read directly (else as this node's system does)."""
    if direct is None:
        direct = here().rbac_reads_fragments

    def lines(kind: str) -> List[str]:
        found = lines_of(root + FILES[kind])        # local lines first: they win
        for path in fragments(root, kind) if direct else ():
            found += lines_of(path)
        return found

    return Database(records.names(lines("user")), records.names(lines("prof")), records.executions(lines("exec")),
                    records.policy(lines_of(f"{root}{SECURITY}/policy.conf")))


def user_named(uid: int) -> str:
    """The account's name; its number where /etc/passwd has none."""
    for line in lines_of("/etc/passwd"):
        parts = line.split(":")
        if len(parts) > 2 and parts[2] == str(uid):
            return parts[0]
    return str(uid)


def has_account(user: str) -> bool:
    return any(line.split(":")[0] == user for line in lines_of("/etc/passwd"))
