"""A BMC by IPMI 2.0 over the LAN (RMCP+), through ipmitool(1), the host's own.

Solaris 11.4 delivers /usr/sbin/ipmitool, illumos distributions /usr/bin or /opt/ooce/bin. The password goes by -f FILE,
never on the command line. Words as ipmitool's lib/ipmi_chassis.c prints them.
"""
from sundog.config.fencing import Ipmi
from sundog.config.model import FenceLevel
from sundog.fence.device import OFF, ON, UNKNOWN, Device, FenceFailed, LoginRefused, NoAnswer, installed, secret
from sundog.solaris.run import Done, Run, run

PATHS = ("/usr/sbin/ipmitool", "/usr/bin/ipmitool", "/opt/ooce/bin/ipmitool")
#: Seconds that ipmitool waits for one answer, and how often it asks (-N, -R).
_ONE_ANSWER_S, _TIMES = 1, 3


class IpmiDevice(Device):
    def __init__(self, level: FenceLevel, node: str, run: Run = run) -> None:
        super().__init__(level, node)
        assert isinstance(level.params, Ipmi)
        self.params, self.run = level.params, run

    def ready(self) -> None:
        self._tool()

    def status(self, patience_s: float) -> str:
        said = self._ask("status", patience_s).out.lower()
        if "power is off" in said:
            return OFF
        return ON if "power is on" in said else UNKNOWN

    def off(self, patience_s: float) -> None:
        self._ask("off", patience_s)

    def on(self, patience_s: float) -> None:
        self._ask("on", patience_s)

    def _ask(self, verb: str, patience_s: float) -> Done:
        tool, own = self._tool(), self.params
        suite = [] if own.cipher is None else ["-C", str(own.cipher)]
        argv = [tool, "-I", "lanplus", "-H", own.address, "-U", own.user, "-f", own.password_file, *suite,
                "-N", str(_ONE_ANSWER_S), "-R", str(_TIMES), "chassis", "power", verb]
        done = self.run(argv, timeout_s=patience_s)
        if done.ok:
            return done
        raise self._failure(done)

    def _tool(self) -> str:
        tool = installed(*PATHS)
        if tool is None:
            raise FenceFailed("this host has no ipmitool", "pkg install ipmitool")
        secret(self.params.password_file)       # for its mode: ipmitool would read any
        return tool

    def _failure(self, done: Done) -> FenceFailed:
        said, by_hand = done.last_line or None, f"try: {' '.join(done.argv)}"
        if done.timed_out:
            return NoAnswer(f"{self.name} did not answer within {done.took_s:.0f} s", by_hand, said)
        if "RAKP 2" in done.said or "password" in done.said.lower() or "unauthorized" in done.said.lower():
            return LoginRefused(f"{self.name} does not take user {self.params.user} or the password in "
                                f"{self.params.password_file}", by_hand, said)
        if "Unable to establish" in done.said or "Get Auth Capabilities" in done.said:
            return NoAnswer(f"{self.name} does not answer", by_hand, said)
        return FenceFailed(f"{self.name} refused", by_hand, said)
