"""The errors that an operator reads: what happened, on which object, what to do about it."""
from typing import Optional


class SundogError(Exception):
    """Base of everything Sundog raises on purpose.

    `what` is one sentence with the object's name in it; `remedy` is what the operator can do, ready to type where
    possible; `said` is the last line the command behind it printed, if there was one.
    """

    def __init__(self, what: str, remedy: str = "", said: Optional[str] = None) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.said = said

    def __str__(self) -> str:
        text = self.what
        if self.said:
            text += f" (it said: {self.said})"
        if self.remedy:
            text += f"; {self.remedy}"
        return text


class ConfigProblem(SundogError):
    """The configuration is wrong: retrying cannot help (SMF exit status 96)."""


class NotPermitted(SundogError):
    """The cluster has not given this node the right to start the group (SMF exit status 95)."""
