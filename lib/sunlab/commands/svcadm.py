"""svcadm: asks svc.startd over its door; with -s it looks again every 3 seconds until the instances are there."""
import sys
import time

from sunlab.smf.client import ask, call, door_of

WAIT_INTERVAL_S = 3.0
TIMED_OUT = 5           # Solaris 11.4, -T
WAITED_FOR = ("enable", "disable", "restart", "refresh", "clear", "mark", "goals")      # all but the first two: 11.4


def main(argv: list[str]) -> int:
    status = ask("svcadm", argv)
    words = [a for a in argv if a in WAITED_FOR]
    if status or not words:
        return status
    after = argv[argv.index(words[0]) + 1:]
    letters, limit = "", None
    while after and after[0][:1] == "-":
        option = after.pop(0)[1:]
        valued = "cT" if words[0] == "disable" else "T"
        with_value = next((at for at, letter in enumerate(option) if letter in valued), None)
        letters += option if with_value is None else option[:with_value]
        if with_value is not None:
            value = option[with_value + 1:] or after.pop(0)
            limit = float(value) if option[with_value] == "T" else limit
    if "s" not in letters:
        return status
    if words[0] == "goals":
        words, after = ["enable"], ["svc:/milestone/goals:default"]
    elif words[0] == "mark":
        words = [after.pop(0)]
    deadline = None if limit is None else time.monotonic() + limit
    while True:
        answer = call("svcadm-synch", [words[0], *after], door=door_of("svcadm", argv))
        said = dict(answer or [])
        if said.get("exit") != "-1":
            sys.stderr.write(said.get("err", ""))
            return int(said.get("exit", "1"))
        left = WAIT_INTERVAL_S if deadline is None else deadline - time.monotonic()
        if left <= 0:
            return TIMED_OUT
        time.sleep(min(left, WAIT_INTERVAL_S))
