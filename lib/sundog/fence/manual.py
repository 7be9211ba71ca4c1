"""No device: an operator looks at the node, sees to it that it is off, and says so."""
from sundog.fence.device import UNKNOWN, Device, OperatorNeeded


class ManualDevice(Device):
    def status(self, patience_s: float) -> str:
        return UNKNOWN

    def off(self, patience_s: float) -> None:
        raise OperatorNeeded(f"an operator must see to it that {self.node} is off",
                             f"then: sundog fence confirm {self.node}")

    def on(self, patience_s: float) -> None:
        """Whoever switched it off switches it on."""
