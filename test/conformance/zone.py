"""The zone that the cases of one host share; each takes it halted and leaves it so."""
from conformance.target import Target


class Zone:
    """`path`: its zonepath."""

    def __init__(self, host: Target, name: str) -> None:
        self.host, self.name = host, name
        self.path = f"{host.zones}/{name}"

    def configure(self) -> None:
        self.host.do(f"zonecfg -z {self.name} 'create -b; set zonepath={self.path}; set autoboot=false'")

    def state(self) -> str:
        return self.field(2)

    def field(self, number: int) -> str:
        return self.host.do(f"zoneadm -z {self.name} list -p").rstrip("\n").split(":")[number]

    def rest(self) -> None:
        """Halted and installed."""
        self.host.run(f"zoneadm -z {self.name} halt")
        if self.state() in ("configured", "unavailable"):
            self.host.do(f"zoneadm -z {self.name} attach")
        if self.state() == "incomplete":
            self.host.do(f"zoneadm -z {self.name} uninstall -F; zoneadm -z {self.name} install")

    def adm(self, command: str) -> str:
        return self.host.do(f"zoneadm -z {self.name} {command}")

    def fails(self, command: str, status: int = 1) -> str:
        return self.host.fails(f"zoneadm -z {self.name} {command}", status)
