"""What a user may do: his authorisations, profiles and the commands that pfexec(1) runs for him otherwise. Pure."""
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

from sunlab.rbac.records import Attributes, Execution, listed

STOP = "Stop"       # a profile after which none counts, nor policy.conf (prof_attr(5))


class Database(NamedTuple):
    users: Dict[str, Attributes]
    profiles: Dict[str, Attributes]
    executions: Tuple[Execution, ...]
    policy: Attributes


def matches(pattern: str, name: str) -> bool:
    """Does holding `pattern` give `name`? A `*` counts at the end only, and gives no right to grant (chkauthattr)."""
    if not pattern.endswith("*"):
        return pattern == name
    return name.startswith(pattern[:-1]) and name.rpartition(".")[2] != "grant"


def holds(patterns: Iterable[str], name: str) -> bool:
    return any(matches(pattern, name) for pattern in patterns)


def profiles_of(database: Database, user: str) -> List[str]:
    """The user's own, those that they name, then policy.conf's; each once, in the order in which pfexec asks them."""
    found: List[str] = []

    def add(name: str) -> bool:
        """False when Stop was met."""
        if name in found:
            return STOP not in found
        found.append(name)
        return name != STOP and all(add(n) for n in listed(database.profiles.get(name, {}).get("profiles", "")))

    own = database.users.get(user, {}).get("profiles", "")
    all(add(name) for name in listed(own) + listed(database.policy.get("PROFS_GRANTED", "")))
    return found


def auths_of(database: Database, user: str) -> List[str]:
    """The user's own, his profiles' and policy.conf's authorisations, each once."""
    profiles = profiles_of(database, user)
    found = listed(database.users.get(user, {}).get("auths", ""))
    for profile in profiles:
        found += listed(database.profiles.get(profile, {}).get("auths", ""))
    if STOP not in profiles:
        found += listed(database.policy.get("AUTHS_GRANTED", ""))
    return list(dict.fromkeys(found))


def commands_of(database: Database, user: str) -> List[Execution]:
    """The commands of his profiles, in the order of the profiles."""
    return [one for profile in profiles_of(database, user) for one in database.executions if one.profile == profile]


def plain(path: str) -> str:
    """/usr/sbin/x and /sbin/x are one file in the lab, as /usr is merged there."""
    return path[4:] if path.startswith(("/usr/bin/", "/usr/sbin/", "/usr/lib/")) else path


def execution_of(database: Database, user: str, path: str) -> Optional[Execution]:
    """The first entry of his profiles that means the command: its path, its folder's `/*`, or `*`."""
    wanted = plain(path)
    meant = {wanted, wanted.rpartition("/")[0] + "/*", "*"}
    return next((one for one in commands_of(database, user) if plain(one.path) in meant), None)
