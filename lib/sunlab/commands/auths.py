"""auths(1): the authorisations of users."""
import os
import sys

from sunlab.rbac.database import has_account, load, user_named
from sunlab.rbac.rights import auths_of

ALL = ("*", "solaris.*")


def main(argv: list[str]) -> int:
    database = load()
    status = 0
    for user in argv or [user_named(os.getuid())]:
        if not has_account(user):
            sys.stderr.write(f"auths: {user} : No such user\n")
            status = 1
            continue
        found = auths_of(database, user)
        if not found:
            sys.stderr.write(f"auths: {user} : No authorizations\n")
            status = 1
            continue
        text = "solaris.*" if set(found) & set(ALL) else ",".join(found)
        sys.stdout.write((f"{user} : " if len(argv) > 1 else "") + text + "\n")
    return status
