"""The context that a method runs in: ids, folder, environment (smf_method(7), Method Context; librestart.c).

Privileges have no effect in the lab: a method keeps what its user has. Their names are not checked, their form is.
"""
import grp
import os
import pwd
from typing import Dict, List, NamedTuple, Optional, Tuple

from sunlab.smf.properties import Groups, first, values

PROPERTIES = ("use_profile", "environment", "user", "group", "supp_groups", "privileges", "limit_privileges",
              "working_directory", "project", "resource_pool", "corefile_pattern", "security_flags")
DEFAULT = (":default", "")
PROJECTS = ("system", "user.root", "noproject", "default", "group.staff")      # of an /etc/project as installed

class ContextInvalid(Exception):
    """A method context that cannot be set up; the method has then failed."""


class Context(NamedTuple):
    folder: str = "/"
    environment: Dict[str, str] = {}
    uid: int = 0
    gid: int = 0
    groups: Optional[List[int]] = None      # None: stay what svc.startd is
    unmodelled: str = ""                    # what the lab leaves without effect, to be said in the log


def read(view: Groups, method: str) -> Context:
    """The context of `method`: each property its own, or else that of the group method_context.

    Where there is none at all it is root in /; with one, the folder is the user's home unless said otherwise.
    Raises ContextInvalid.
    """
    own = view.get(method)
    if "method_context" not in view and not any(own is not None and n in own.props for n in PROPERTIES):
        return Context()

    def said(name: str) -> str:
        at = method if own is not None and name in own.props else "method_context"
        return first(view, at, name)
    environment = dict(v.partition("=")[::2] for v in _environment(view, method) if not v.startswith("SMF_"))
    if said("use_profile") == "true":
        raise ContextInvalid("method profiles are not modelled in this lab")
    for name in ("privileges", "limit_privileges"):
        if not _privileges_formed(said(name)):
            raise ContextInvalid(f"Could not interpret {name} property.")
    if said("project") not in DEFAULT + PROJECTS and not said("project").isdigit():
        raise ContextInvalid("Missing passwd or project entry.")
    if said("resource_pool") not in DEFAULT:
        raise ContextInvalid(f'pool_set_binding: the pool "{said("resource_pool")}" could not be found')
    unmodelled = ", ".join(n for n in ("privileges", "limit_privileges", "security_flags", "corefile_pattern")
                           if said(n) not in DEFAULT)
    entry = _user("root" if said("user") in DEFAULT else said("user"))
    gid = entry.pw_gid if said("group") in DEFAULT else _group(said("group"), "group")
    groups = (os.getgrouplist(entry.pw_name, gid) if said("supp_groups") in DEFAULT
              else [_group(g, "supplemental groups") for g in said("supp_groups").replace(",", " ").split()])
    folder = said("working_directory")
    return Context(entry.pw_dir if folder in (*DEFAULT, ":home") else folder, environment,
                   entry.pw_uid, gid, groups, unmodelled)


def _environment(view: Groups, method: str) -> Tuple[str, ...]:
    """The method's own variables replace the instance's, all of them."""
    own = view.get(method)
    return values(view, method if own is not None and "environment" in own.props else "method_context", "environment")


def _privileges_formed(text: str) -> bool:
    """priv_str_to_set(3C): names with commas between; !NAME or -NAME takes one away."""
    if text in DEFAULT:
        return True
    names = [n.strip().lstrip("!-") for n in text.split(",")]
    return all(n.replace("_", "").isalnum() for n in names)


def _user(name: str) -> "pwd.struct_passwd":
    try:
        return pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError as unknown:
        raise ContextInvalid("Could not interpret user property.") from unknown


def _group(name: str, what: str) -> int:
    try:
        return int(name) if name.isdigit() else grp.getgrnam(name).gr_gid
    except KeyError as unknown:
        raise ContextInvalid(f"Could not interpret {what} property.") from unknown
