"""The leader moves the ledger's voters to what the configuration names, one change at a time. Pure.

A change is two changes of the ledger: both sets together, and when both have chosen that, the new one alone. Lives are
taken from the holders' own answers: one that has come back with another life goes out and in again by the same change.
"""
from dataclasses import dataclass, field, replace
from typing import Mapping, Optional, Tuple

from sundog.core import voters
from sundog.core.ledger import Ledger
from sundog.core.voters import NOBODY, Lives


@dataclass(frozen=True)
class Present:
    """What the leader knows of the holders.

    `answering`: those that acknowledged it lately, with their lives; `suspects`: lives that turned out to have
    forgotten what they had acknowledged. `agreed`: whether every node in the cluster has the configuration in force.
    """
    answering: Lives = field(default_factory=dict)
    suspects: Lives = field(default_factory=dict)
    agreed: bool = True
    ages: Mapping[str, float] = field(default_factory=dict)     # holder -> seconds since it acknowledged us
    waits: str = ""                     # why a change that is due waits

    @property
    def lines(self) -> str:
        """For the node that asks: why a change waits, then each holder heard, how long ago and with which life."""
        return "\n".join([self.waits, *(f"{name} {age:.3f} {self.answering.get(name, '')}"
                                        for name, age in sorted(self.ages.items()))])


NOTHING_KNOWN = Present()


@dataclass(frozen=True)
class Step:
    """The ledger with the next step, the same one when there is none; `waits`: why a change that is due waits."""
    ledger: Ledger
    waits: str = ""


def step(ledger: Ledger, wanted: Tuple[str, ...], present: Present) -> Step:
    """The next step towards the holders that the configuration names."""
    ledger = distrusting(ledger, present.suspects)
    if not ledger.voters:
        # Of the configuration's size: then a majority of it is one of the configuration's, whatever lives come later.
        return Step(replace(ledger, voters={name: present.answering.get(name, NOBODY) for name in wanted}))
    if ledger.next_voters:
        return Step(replace(ledger, voters=ledger.next_voters, next_voters={}))
    goal = target(ledger, wanted, present.answering)
    awaited = [name for name in wanted if name not in goal and name not in ledger.distrusted]
    if awaited:
        # Nobody goes before those who take the place have come.
        goal = {**{name: life for name, life in ledger.voters.items() if ledger.distrusted.get(name) != life}, **goal}
    waits = f"not heard yet: {', '.join(awaited)}" if awaited else ""
    if goal == ledger.voters:
        return Step(ledger, waits)
    if not present.agreed:
        return Step(ledger, f"not every node has configuration {ledger.config_version} yet")
    why = objection(ledger.voters, goal, present.answering)
    return Step(ledger, why) if why is not None else Step(replace(ledger, next_voters=goal))


def distrusting(ledger: Ledger, suspects: Lives) -> Ledger:
    """The ledger that says of these lives that they never vote again."""
    new = {name: life for name, life in suspects.items() if life != NOBODY and ledger.distrusted.get(name) != life}
    return replace(ledger, distrusted={**ledger.distrusted, **new}) if new else ledger


def target(ledger: Ledger, wanted: Tuple[str, ...], answering: Lives) -> Lives:
    """The set to come to: a holder that is new waits outside until it answers, one that is silent stays as it is."""
    goal = {}
    for name in wanted:
        for life in (answering.get(name), ledger.voters.get(name)):
            if life is not None and ledger.distrusted.get(name) != life:
                goal[name] = life
                break
    return goal


def objection(old: Lives, goal: Lives, answering: Lives) -> Optional[str]:
    """Why the voters may not change from `old` to `goal` now; None: majorities of both answer."""
    return _too_few(old, "in force", answering) or _too_few(goal, "to come", answering)


def _too_few(voting: Lives, what: str, answering: Lives) -> Optional[str]:
    if voters.agree((voting,), answering):
        return None
    silent = [name for name, life in voting.items() if answering.get(name) != life or life == NOBODY]
    return (f"of the {len(voting)} votes {what} {len(voting) - len(silent)} answer, "
            f"{voters.majority(voting)} are needed; silent: {', '.join(sorted(silent))}")


def refusal(ledger: Ledger, wanted: Tuple[str, ...], answering: Lives) -> Optional[str]:
    """Why a configuration that names these holders is not accepted: too few of them answer even if all new ones do."""
    goal: Mapping[str, str] = {name: ledger.voters.get(name) or "new" for name in wanted}
    believed = {**answering, **{name: "new" for name, life in goal.items() if life == "new"}}
    return _too_few(goal, "to come", believed) if goal.keys() != ledger.voters.keys() else None
