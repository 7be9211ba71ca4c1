"""SMF through svcs(1), svcadm(8), svcprop(1) and svccfg(8). Acts and reads; never waits for a state."""
import os
from typing import Dict, List, NamedTuple, Sequence

from sundog.solaris.run import CommandFailed, Run

SVCS = "/usr/bin/svcs"
SVCADM = "/usr/sbin/svcadm"
SVCPROP = "/usr/bin/svcprop"
SVCCFG = "/usr/sbin/svccfg"
PATIENCE_S = 60.0
BATCH_PATIENCE_S = 300.0

DISABLED, OFFLINE, ONLINE, DEGRADED, MAINTENANCE = "disabled", "offline", "online", "degraded", "maintenance"


class Seen(NamedTuple):
    """An instance as svcs shows it; `next_state` is "-" where no method runs."""
    state: str
    next_state: str

    @property
    def moving(self) -> bool:
        return self.next_state != "-"


def states(run: Run, *patterns: str) -> Dict[str, Seen]:
    """FMRI -> state of every instance that one of `patterns` names, by one svcs. Raises CommandFailed.

    A pattern that matches nothing is no error: a host without any group has no instances.
    """
    done = run([SVCS, "-H", "-o", "state,nstate,fmri", *patterns], timeout_s=PATIENCE_S)
    if not done.ok and not (done.rc == 1 and only_unmatched(done.err)):
        raise CommandFailed(done)
    rows = (line.split() for line in done.out.splitlines())
    return {row[2]: Seen(row[0].rstrip("*"), row[1]) for row in rows if len(row) == 3}


def only_unmatched(err: str) -> bool:
    lines = [line for line in err.splitlines() if line.strip()]
    return bool(lines) and all("doesn't match any instances" in line for line in lines)


def enable(run: Run, fmris: Sequence[str]) -> None:
    """Enable until the next boot (-t). Raises CommandFailed."""
    act(run, "enable", ["-t"], fmris)


def disable(run: Run, fmris: Sequence[str], *, lasting: bool = False) -> None:
    """Disable until the next boot, or with `lasting` also what was enabled for ever. Raises CommandFailed."""
    act(run, "disable", [] if lasting else ["-t"], fmris)


def act(run: Run, verb: str, options: List[str], fmris: Sequence[str]) -> None:
    if not fmris:
        return
    done = run([SVCADM, verb, *options, *fmris], timeout_s=PATIENCE_S)
    if not done.ok:
        raise CommandFailed(done)


def values(run: Run, fmri: str, prop: str, *, current: bool = False) -> str:
    """A property as svcprop prints it, "" if the instance has not got it; `current`: not the running snapshot's."""
    done = run([SVCPROP, *(["-c"] if current else []), "-p", prop, fmri], timeout_s=PATIENCE_S)
    if done.ok:
        return done.out.strip()
    if "Couldn't find property" in done.err:
        return ""
    raise CommandFailed(done)


def enabled(run: Run, fmri: str) -> bool:
    """Is the instance wanted to run at present? What is temporary, by svcadm -t or a milestone, goes first (smf(7)).

    One that is not there, or not any more, is not. Raises CommandFailed.
    """
    try:
        said = values(run, fmri, "general_ovr/enabled", current=True) \
            or values(run, fmri, "general/enabled", current=True)
    except CommandFailed as failed:
        if "doesn't match any entities" not in failed.done.err:
            raise
        return False
    return said == "true"


def configure(run: Run, batch: str) -> None:
    """Give a batch of subcommands to svccfg, which stops at the first that fails. Raises CommandFailed."""
    if not batch:
        return
    import tempfile
    with tempfile.NamedTemporaryFile("w", prefix="sundog.", suffix=".svccfg", encoding="utf-8") as file:
        file.write(batch)
        file.flush()
        os.chmod(file.name, 0o600)
        done = run([SVCCFG, "-f", file.name], timeout_s=BATCH_PATIENCE_S)
    if not done.ok:
        raise CommandFailed(done, "svcs -a | grep sundog shows which instances there are; svcadm restart "
                                  "svc:/system/manifest-import brings services that are missing")
