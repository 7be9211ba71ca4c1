"""A ClusterLabs fence agent (github.com/ClusterLabs/fence-agents, FenceAgentAPI.md): options by standard input.

One `name=value` a line. Exit status of `status`: 0 on, 2 off, 1 failed; of the other actions: 0 done.
"""
from sundog.config.fencing import Agent
from sundog.config.model import FenceLevel
from sundog.fence.device import OFF, ON, UNKNOWN, Device, FenceFailed, NoAnswer, installed, secret
from sundog.solaris.run import Done, Run, run

PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/local/sbin", "/opt/sundog/sbin")
_STATES = {0: ON, 2: OFF}


class AgentDevice(Device):
    def __init__(self, level: FenceLevel, node: str, run: Run = run) -> None:
        super().__init__(level, node)
        assert isinstance(level.params, Agent)
        self.params, self.run = level.params, run

    def ready(self) -> None:
        self._tool()
        if self.params.password_file:
            secret(self.params.password_file)

    def status(self, patience_s: float) -> str:
        done = self._ask("status", patience_s)
        if done.rc not in _STATES:
            raise self._failure(done)
        return _STATES.get(done.rc, UNKNOWN)

    def off(self, patience_s: float) -> None:
        self._do("off", patience_s)

    def on(self, patience_s: float) -> None:
        self._do("on", patience_s)

    def _do(self, action: str, patience_s: float) -> None:
        done = self._ask(action, patience_s)
        if not done.ok:
            raise self._failure(done)

    def _ask(self, action: str, patience_s: float) -> Done:
        own, tool = self.params, self._tool()
        lines = [f"action={action}", *(f"{name}={value}" for name, value in own.options)]
        if own.password_file:
            lines.append(f"password={secret(own.password_file)}")
        done = self.run([tool], timeout_s=patience_s, input="\n".join(lines) + "\n")
        if done.timed_out:
            raise NoAnswer(f"{self.name} did not end within {done.took_s:.0f} s", self._by_hand(action),
                           done.last_line or None)
        return done

    def _tool(self) -> str:
        tool = installed(*(f"{place}/{self.params.agent}" for place in PLACES))
        if tool is None:
            raise FenceFailed(f"{self.params.agent} is in none of {', '.join(PLACES)}",
                              "install the package fence-agents, or put the agent into one of them")
        return tool

    def _failure(self, done: Done) -> FenceFailed:
        return FenceFailed(f"{self.name} failed with status {done.rc}", self._by_hand("status"),
                           done.last_line or None)

    def _by_hand(self, action: str) -> str:
        return f"try '{self.params.agent}' by hand with action={action} and the options on its standard input"
