"""The method of svc:/system/rbac on illumos: the fragments' lines into the databases. Solaris 11.4 has no need of it.

Lines above the mark are the administrator's and stay; those below it are made anew.
"""
import os
from typing import Iterable, List

from sunlab.platform import here
from sunlab.rbac.database import FILES, fragments, lines_of

MARK = "# Below: merged from the fragments by svc:/system/rbac; changes here are lost.\n"


def merged(local: Iterable[str], pieces: Iterable[Iterable[str]]) -> List[str]:
    """The whole file: the local lines, the mark, and every fragment's line that is not there yet. Pure."""
    kept: List[str] = []
    for line in local:
        if line == MARK:
            break
        kept.append(line if line.endswith("\n") else line + "\n")
    found = [line.rstrip("\n") + "\n" for piece in pieces for line in piece if line.strip() and line[0] != "#"]
    fresh = [line for line in dict.fromkeys(found) if line not in kept]
    return [*kept, MARK, *fresh] if fresh else kept


def main(root: str = "/") -> None:
    if here().rbac_reads_fragments:
        return
    for kind, name in FILES.items():
        path = root + name
        old = lines_of(path)
        new = merged(old, (lines_of(fragment) for fragment in fragments(root, kind)))
        if new != old:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(f"{path}.new", "w", encoding="utf-8") as file:
                file.writelines(new)
            os.rename(f"{path}.new", path)


if __name__ == "__main__":
    main()
