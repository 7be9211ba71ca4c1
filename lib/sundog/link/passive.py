"""What every passive holder offers, and how it fails. Blocking: each is called from a thread of its own."""
from typing import Optional, Tuple

from sundog.core.frames import Block
from sundog.errors import SundogError


class HolderFailed(SundogError):
    """The exchange failed, and may be tried again. Whether what was to be written stands there is not known."""


class HolderRefused(SundogError):
    """The holder is there, and a human has to mend something before it can vote."""


class Passive:
    """One node's access to one holder. `life`: of the store that answered last, "" while none has."""

    life = ""

    def exchange(self, block: Optional[Block]) -> Tuple[Block, ...]:
        """Write `block` durably into our place, then read everybody's newest; None: only read.

        Raises SundogError: HolderFailed, HolderRefused or the holder's own kind. A failure is never taken for success.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Give up what is open; another exchange opens it again."""
        raise NotImplementedError
