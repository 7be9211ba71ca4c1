"""Who may lead, and until when (rule 2). Instants and durations in seconds, each on the clock that it was read from."""
from sundog.core.frames import Ballot


def refuses_for(now: float, same_leader: bool, acknowledged_at: float, promise_s: float) -> float:
    """Rule 2: how much longer a holder refuses this ballot, because it acknowledged another leader lately.

    `same_leader`: the asking writer is the very run of a host that was acknowledged. `acknowledged_at` is the holder's
    own start when it has acknowledged nobody since.
    """
    return 0.0 if same_leader else max(0.0, acknowledged_at + promise_s - now)


def disk_refuses_for(now: float, moved_at: float, promise_s: float) -> float:
    """Rule 2 on a passive disk: how much longer a challenger must see the leader's counter stand still.

    `moved_at` is when the leader's block was last seen to change, by the challenger's own reads.
    """
    return max(0.0, moved_at + promise_s - now)


def until(sent_at: float, authority_s: float) -> float:
    """A leader leads until then, by the send time of its newest write that a majority acknowledged."""
    return sent_at + authority_s


def horizon(sent_at: float, timeout_s: float) -> float:
    """No lease that the leader grants ends later than this."""
    return sent_at + timeout_s


def next_ballot(node: str, *seen: Ballot) -> Ballot:
    """A ballot above all that were seen."""
    return (max((number for number, _ in seen), default=0) + 1, node)
