"""svcs: asks svc.startd over its door; with -Z each running zone's in turn."""
import sys

from sunlab.smf.client import DOOR, ask, call


def main(argv: list[str]) -> int:
    letters = "".join(a[1:] for a in argv if a[:1] == "-")
    if "Z" not in letters or "z" in letters:
        return ask("svcs", argv)
    return every_zone(argv, letters)


def every_zone(argv: list[str], letters: str) -> int:
    """One table of all zones, the global first. What does not match in one zone is no error unless it does in none."""
    from sunlab.zones import door
    from sunlab.zones.registry import index, running
    up = [name for name in sorted(index()) if (at := running(name)) is not None and at.state == "running"]
    doors = [DOOR, *(door(name) for name in up)]
    table = not set(letters) & set("lLxn")
    missing = True
    for number, path in enumerate(doors):
        answer = call("svcs", ["-H", *argv] if table and number else argv, door=path)
        said: dict[str, str] = {}
        for key, text in answer or []:
            said[key] = said.get(key, "") + text
        if said.get("exit") == "2":
            sys.stderr.write(said.get("err", ""))
            return 2
        missing = missing and said.get("exit") != "0"
        sys.stdout.write(said.get("out", ""))
    return 1 if missing else 0
