"""svcs: asks svc.startd over its door; with -Z each running zone's in turn."""
import sys

from sunlab.smf.client import DOOR, VALUED, ask, call


def main(argv: list[str]) -> int:
    letters = flags(argv)
    if "Z" not in letters or "z" in letters:
        return ask("svcs", argv)
    return every_zone(argv, letters)


def flags(argv: list[str]) -> str:
    """The letters of the options, without their values."""
    letters, at = "", 0
    while at < len(argv) and argv[at][:1] == "-":
        for number, letter in enumerate(argv[at][1:], 2):
            letters += letter
            if letter in VALUED["svcs"]:
                at += not argv[at][number:]
                break
        at += 1
    return letters


def every_zone(argv: list[str], letters: str) -> int:
    """One table of all zones. What does not match in one zone is no error unless it does in none."""
    from sunlab.platform import here
    from sunlab.zones import door
    from sunlab.zones.registry import index, inside, running
    if inside():
        sys.stderr.write("svcs: svcs -Z may only be used from the global zone\n")
        return 1
    table = not set(letters) & set("lLxn")
    if table and set(letters) & set("sS"):
        sys.stderr.write("sunlab: svcs -Z with -s or -S: not modelled in this lab\n")
        return 1
    up = {name: at.number for name in index() if (at := running(name)) is not None and at.state == "running"}
    # The default sort begins with the zone's name; without it they come as the kernel lists them.
    named = sorted(["global", *up]) if table and ("o" not in letters or here().sorts_chosen_columns) else (
        ["global", *sorted(up, key=up.__getitem__)])
    missing = True
    for number, name in enumerate(named):
        path = DOOR if name == "global" else door(name)
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
