"""profiles(1): the profiles of users; with -l their commands."""
import getopt
import os
import sys

from sunlab.rbac.database import has_account, load, user_named
from sunlab.rbac.rights import Database, commands_of, profiles_of

COLUMN = 37     # of a command's attributes


def main(argv: list[str]) -> int:
    try:
        options, users = getopt.getopt(argv, "l")
    except getopt.GetoptError:
        sys.stderr.write("  usage: profiles [-l] [user1 user2 ...]\n")
        return 1
    database = load()
    status = 0
    for number, user in enumerate(users or [user_named(os.getuid())]):
        if users:
            sys.stdout.write(("\n" if number else "") + f"{user}:\n")
        status = show(database, user, bool(options), "          " if users else "") or status
    return status


def show(database: Database, user: str, long: bool, indent: str) -> int:
    found = profiles_of(database, user)
    if not has_account(user) or not (commands_of(database, user) if long else found):
        sys.stderr.write(f"profiles: {user}: {'No profiles' if has_account(user) else 'No such user'}\n")
        return 1
    if long:
        sys.stdout.write(long_lines(database, user))
    else:
        sys.stdout.write("".join(f"{indent}{name}{privileges(database, name)}\n" for name in found))
    return 0


def privileges(database: Database, profile: str) -> str:
    privs = database.profiles.get(profile, {}).get("privs")
    return f" privs={privs}" if privs else ""


def long_lines(database: Database, user: str) -> str:
    text, current = "", ""
    for one in commands_of(database, user):
        if one.profile != current:
            current = one.profile
            text += f"      {current}{privileges(database, current)}\n"
        head = f"          {one.path} "
        pairs = [f"{key}={value}\n" for key, value in one.attributes.items()]
        if pairs and len(head) >= COLUMN:
            head += "\n"
        text += head.ljust(COLUMN) if pairs and not head.endswith("\n") else head + " " * COLUMN * bool(pairs)
        text += (" " * COLUMN).join(pairs) if pairs else "\n"
    return text
