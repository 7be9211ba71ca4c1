"""What the mutation check has found, as the page docs/mutants.md: written and read here."""
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping, Optional

from simulation.mutations import MUTATIONS
from simulation.mutations.mutation import Mutation, short

_HEAD = """# The mutation check

Written by `test/simulation/mutants --write`, which takes each guard of the core out in turn and lets storms and
scenarios look for what breaks ([simulation.md](simulation.md), Mutation check).

{summary}

*Found by*: the invariant that broke (I1 to I12, L1, L2), `liveness` (not all came right when the faults had stopped),
`scenario` (what a directed test asserts), `crash` (the core raised), `loop` (a run without an end). *After*: seconds of
CPU from the start of the look; for those that nothing breaks, as long as it looked.

| core/ | taken out | becomes | found by | after | where, or why not |
| --- | --- | --- | --- | --- | --- |
"""
_NOTHING, _NO_VERDICT = "–", "?"


@dataclass(frozen=True)
class Verdict:
    """`rule`: what broke; empty: nothing did in `cpu_s` seconds. `where`: the storm, scenario or test."""
    rule: str
    where: str
    cpu_s: float


def line(mutation: Mutation, verdict: Verdict) -> str:
    """For the terminal."""
    head = verdict.rule or ("explained" if mutation.survives else "SURVIVES")
    return f"{head:9} {mutation.name}  [{_how(mutation, verdict)}; {verdict.cpu_s:.0f} s]"


def page(known: Mapping[str, Verdict]) -> str:
    """The whole page."""
    rows = [_row(one, known.get(one.name)) for one in MUTATIONS]
    found = sum(bool(known[one.name].rule) for one in MUTATIONS if one.name in known)
    explained = [known[one.name].cpu_s for one in MUTATIONS
                 if one.survives and one.name in known and not known[one.name].rule]
    left = len(rows) - found - len(explained)
    summary = (f"Of {len(rows)} mutants {found} are found out and {len(explained)} are explained: nothing breaks "
               f"without those guards in {min(explained, default=0):.0f} s of CPU or more each.")
    if left:
        summary += f" On {left} there is no verdict (`{_NO_VERDICT}`)."
    return _HEAD.format(summary=summary) + "".join(rows)


def _row(mutation: Mutation, verdict: Optional[Verdict]) -> str:
    taken, becomes = (f"`{short(text)}`" if text.strip() else "nothing" for text in (mutation.old, mutation.new))
    if verdict is None:
        rule, after, how = _NO_VERDICT, "", "not run yet"
    else:
        rule = verdict.rule or (_NOTHING if mutation.survives else _NO_VERDICT)
        after, how = f"{verdict.cpu_s:.0f} s", _how(mutation, verdict)
    return f"| {mutation.module} | {taken} | {becomes} | {rule} | {after} | {how} |\n"


def _how(mutation: Mutation, verdict: Verdict) -> str:
    return verdict.where if verdict.rule else mutation.survives or "not explained yet"


def read(path: Path) -> Dict[str, Verdict]:
    """The verdicts of a page, by the names of its mutants; those of guards that are no more are left out."""
    if not path.exists():
        return {}
    names = {_row(one, None).split(" | ? | ")[0]: one.name for one in MUTATIONS}
    known = {}
    for text in path.read_text().splitlines():
        cells = text.strip("|").split(" | ")
        name = names.get("|" + " | ".join(cells[:3]))
        if name is None or len(cells) != 6 or not cells[4].strip():
            continue
        rule = "" if cells[3] in (_NOTHING, _NO_VERDICT) else cells[3]
        known[name] = Verdict(rule, cells[5].strip() if rule else "", float(cells[4].rstrip(" s")))
    return known
