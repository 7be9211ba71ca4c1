"""The real-time class (sched(3), RT in priocntl(2)): who guards a host must not wait for what runs on it.

Processes that are started from here on get the class that this one had before, whichever that is (TS, FSS, FX).
"""
import os
from typing import Any, Dict

_inherited: Dict[str, Any] = {}


def be_urgent() -> str:
    """Enter the real-time class, at its lowest priority and with every thread made from now on; "" or why not."""
    try:
        before = os.sched_getscheduler(0)
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
    except AttributeError:
        return "this Python has no sched_setscheduler"
    except OSError as error:
        return f"{error.strerror}; it takes the privilege proc_priocntl"
    if before != os.SCHED_RR:
        _inherited["scheduler"] = (before, os.sched_param(0))
    return ""


def for_children() -> Dict[str, Any]:
    """What posix_spawn(3C) must be told, so that a child is no more urgent than others."""
    return dict(_inherited)


def calm(pid: int) -> None:
    """The same for a child that was started in another way. Raises OSError."""
    if _inherited:
        os.sched_setscheduler(pid, *_inherited["scheduler"])
