"""Power off is believed only when the device reads back "off". Blocks; durations are seconds."""
import time
from typing import Callable, NamedTuple, Optional

from sundog.config.model import FenceLevel
from sundog.errors import SundogError
from sundog.fence.device import OFF, UNKNOWN, Device, NoAnswer

#: Pause between two readings: a BMC has no event for it.
_AGAIN_S = 0.2


class Off(NamedTuple):
    """A node that is off, or `barred` from its disks. `acted`: by this call. `said` is for the journal."""
    acted: bool
    said: str
    barred: bool = False


def device_of(level: FenceLevel, node: str, me: str = "") -> Device:
    """The device of a level, used by node `me`. Its module is imported only here: a daemon without one need not carry
    HTTP and TLS."""
    if level.type == "ipmi":
        from sundog.fence.ipmi import IpmiDevice
        return IpmiDevice(level, node)
    if level.type == "redfish":
        from sundog.fence.redfish import RedfishDevice
        return RedfishDevice(level, node)
    if level.type == "agent":
        from sundog.fence.agent import AgentDevice
        return AgentDevice(level, node)
    if level.type == "scsi":
        from sundog.fence.scsi import ScsiDevice
        return ScsiDevice(level, node, me)
    from sundog.fence.manual import ManualDevice
    return ManualDevice(level, node)


def switch_off(device: Device, clock: Callable[[], float] = time.monotonic,
               sleep: Callable[[float], None] = time.sleep) -> Off:
    """Have the node off, within the level's timeout. Raises FenceFailed, CommandNotRun.

    A node that is off already is left alone, and a device that cannot be read is not asked: it would not be believed.
    A reading that fails after that is made again: a BMC may lose one while it acts, and this host may be full.
    """
    until = clock() + device.level.timeout_s
    if device.status(device.level.timeout_s) == OFF:
        return Off(False, f"{device.name} {device.found}", device.bars)
    trouble: Optional[SundogError] = None
    device.off(_left(device, until, clock, trouble))
    while True:
        try:
            state = device.status(_left(device, until, clock, trouble))
        except SundogError as error:
            state, trouble = UNKNOWN, error
        if state == OFF:
            return Off(True, f"{device.name} {device.done}", device.bars)
        _left(device, until, clock, trouble)
        sleep(_AGAIN_S)


def _left(device: Device, until: float, clock: Callable[[], float], trouble: Optional[SundogError]) -> float:
    left_s = until - clock()
    if left_s > 0:
        return left_s
    if trouble is not None:
        raise trouble
    raise NoAnswer(f"{device.name} does not read back 'off' within {device.level.timeout_s:g} s",
                   f"sundog fence test {device.node}")
