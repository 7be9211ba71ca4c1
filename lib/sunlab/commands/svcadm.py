"""svcadm: asks svc.startd over its door; with -s it looks again every 3 seconds until the instances are there."""
import sys
import time

from sunlab.smf.client import ask, call, door_of

WAIT_INTERVAL_S = 3.0


def main(argv: list[str]) -> int:
    status = ask("svcadm", argv)
    words = [a for a in argv if a in ("enable", "disable")]
    if status or not words:
        return status
    after = argv[argv.index(words[0]) + 1:]
    letters = ""
    while after and after[0][:1] == "-":
        letters += after[0][1:]
        takes_value = after.pop(0)[-1] == "c"
        after = after[1:] if takes_value else after
    if "s" not in letters.split("c")[0]:
        return status
    while True:
        answer = call("svcadm-synch", [words[0], *after], door=door_of(argv))
        said = dict(answer or [])
        if said.get("exit") != "-1":
            sys.stderr.write(said.get("err", ""))
            return int(said.get("exit", "1"))
        time.sleep(WAIT_INTERVAL_S)
