"""When to be woken for every datagram, and when to look for many at once (as a NIC's interrupt moderation does).

The leader of 32 nodes gets some 370 datagrams a second at L = 2 s. To be woken for each costs it more than what they
say; to look five times in a beat takes a fiftieth of L from a lease, and nothing else that counts.
"""
_LOOKS_IN_A_BEAT = 5
_MANY = 14                              # wake-ups in a beat: from here on looking is cheaper
_LOOKS = 10                             # two beats; if these have found
_FEW = 2                                # datagrams each, or less, it is not: what comes twice at once is one wake-up


class Pace:
    """`polls`: look every `pause_s`, and do not be woken."""

    def __init__(self, beat_s: float) -> None:
        self.polls, self.pause_s, self._beat_s = False, beat_s / _LOOKS_IN_A_BEAT, beat_s
        self._since = float("-inf")
        self._woken = self._looks = self._found = 0

    def woken(self, now: float) -> bool:
        """A datagram has woken us; says whether to look from now on."""
        if now > self._since + self._beat_s:
            self._since, self._woken = now, 0
        self._woken += 1
        self.polls = self._woken >= _MANY
        return self.polls

    def polled(self, found: int) -> bool:
        """A look has found so many datagrams; says whether to go on looking."""
        self._looks, self._found = self._looks + 1, self._found + found
        if self._looks == _LOOKS:
            self.polls = self._found > _FEW * _LOOKS
            self._looks = self._found = self._woken = 0
        return self.polls
