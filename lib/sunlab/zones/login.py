"""Becoming a user inside a zone: what su(8) and login(1) do for zlogin(1) and the zone's console."""
from __future__ import annotations

import os
import sys

SAFE_SHELL = "/usr/sbin/sh"
PATH = "/usr/sbin:/usr/bin"


class Login:
    """`command`: None for a login shell. `safe`: nothing of the zone's is relied upon (zlogin -S)."""

    def __init__(self, user: str, command: str | None, terminal: str, safe: bool = False) -> None:
        self.user, self.command, self.terminal, self.safe = user, command, terminal, safe

    def become(self) -> None:
        """Replace this process, which is in the zone already. Raises OSError; exits 1 for an unknown user."""
        shell, home = SAFE_SHELL, "/"
        environment = {"PATH": PATH, "TERM": self.terminal}
        if not self.safe:
            import pwd
            try:
                entry = pwd.getpwnam(self.user)
            except KeyError:
                os.write(2, f"su: Unknown id: {self.user}\n".encode())
                os._exit(1)
            shell, home = entry.pw_shell or SAFE_SHELL, entry.pw_dir
            environment.update(LOGNAME=self.user, MAIL=f"/var/mail/{self.user}", LC_ALL="C")
            if entry.pw_uid:
                os.initgroups(self.user, entry.pw_gid)
                os.setgid(entry.pw_gid)
                os.setuid(entry.pw_uid)
        environment.update(HOME=home, SHELL=shell)
        os.chdir(home if os.path.isdir(home) else "/")
        name = os.path.basename(shell)
        arguments = [f"-{name}"] if self.command is None and not self.safe else [name]
        os.execve(shell, arguments if self.command is None else [name, "-c", self.command], environment)


def password_of(user: str) -> str | None:
    """The crypted one in /etc/shadow; "" where none is needed; None where nobody may log in."""
    import pwd
    try:
        pwd.getpwnam(user)
    except KeyError:
        return None
    try:
        with open("/etc/shadow") as file:
            rows = [line.rstrip("\n").split(":") for line in file]
    except FileNotFoundError:
        return None
    return next((row[1] for row in rows if row[0] == user), None)


def main(user: str) -> None:
    """At the console, after the name was typed: ask for the password where there is one."""
    wanted = password_of(user)
    if wanted != "":
        import crypt
        import getpass
        given = getpass.getpass("Password: ")
        if not wanted or crypt.crypt(given, wanted) != wanted:
            sys.stdout.write("Login incorrect\n")
            sys.exit(1)
    Login(user, None, "vt100").become()
