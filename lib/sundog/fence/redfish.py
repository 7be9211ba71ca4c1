"""A BMC by Redfish (DMTF DSP0266, schema ComputerSystem): PowerState, and the action ComputerSystem.Reset.

HTTPS with Basic authentication, which every service must offer (DSP0266, 13.3.4). The certificate is checked against
`certificate`, a file of PEM, without the host's name, as BMCs are called by their addresses; or not at all.
"""
import base64
import http.client
import json
import ssl
import time
from typing import Any, Dict, Mapping, Optional

from sundog.config.fencing import Redfish
from sundog.config.model import FenceLevel
from sundog.fence.device import OFF, ON, UNKNOWN, Device, FenceFailed, LoginRefused, NoAnswer, secret

SYSTEMS = "/redfish/v1/Systems"
_LARGEST = 1 << 20
_STATES: Mapping[str, str] = {"On": ON, "Off": OFF}


class RedfishDevice(Device):
    def __init__(self, level: FenceLevel, node: str) -> None:
        super().__init__(level, node)
        assert isinstance(level.params, Redfish)
        self.params = level.params

    def ready(self) -> None:
        secret(self.params.password_file)
        self._context()

    def status(self, patience_s: float) -> str:
        until = time.monotonic() + patience_s
        return _STATES.get(str(self._get(self._system(until), until).get("PowerState")), UNKNOWN)

    def off(self, patience_s: float) -> None:
        self._reset("ForceOff", patience_s)

    def on(self, patience_s: float) -> None:
        self._reset("On", patience_s)

    def _system(self, until: float) -> str:
        """The path of the system: as configured, or the only one that the service has."""
        if self.params.system:
            return self.params.system
        members = self._get(SYSTEMS, until).get("Members")
        paths = [one.get("@odata.id") for one in members if isinstance(one, dict)] if isinstance(members, list) else []
        if len(paths) != 1 or not isinstance(paths[0], str):
            raise FenceFailed(f"{self.name} has {len(paths)} systems under {SYSTEMS}",
                              "say which is meant by 'system: PATH'", ", ".join(map(str, paths)) or None)
        return paths[0]

    def _reset(self, kind: str, patience_s: float) -> None:
        until = time.monotonic() + patience_s
        path = self._system(until)
        action = self._get(path, until).get("Actions", {}).get("#ComputerSystem.Reset", {})
        target = action.get("target") or f"{path}/Actions/ComputerSystem.Reset"
        self._exchange("POST", str(target), until, {"ResetType": kind})

    def _get(self, path: str, until: float) -> Dict[str, Any]:
        return self._exchange("GET", path, until)

    def _exchange(self, verb: str, path: str, until: float, body: Optional[Dict[str, str]] = None) -> Dict[str, Any]:
        own, left_s = self.params, until - time.monotonic()
        if left_s <= 0:
            raise NoAnswer(f"{self.name} did not answer in time", self._by_hand(path))
        login = base64.b64encode(f"{own.user}:{secret(own.password_file)}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Accept": "application/json", "Content-Type": "application/json"}
        connection = http.client.HTTPSConnection(own.address, own.port, timeout=left_s, context=self._context())
        try:
            connection.request(verb, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read(_LARGEST)
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{self.name} does not answer {verb} {path}", self._by_hand(path), str(error)) from None
        finally:
            connection.close()
        return self._understood(verb, path, answer.status, text)

    def _understood(self, verb: str, path: str, status: int, text: bytes) -> Dict[str, Any]:
        if status in (401, 403):
            raise LoginRefused(f"{self.name} does not take user {self.params.user} or the password in "
                               f"{self.params.password_file}", self._by_hand(path), f"status {status}")
        if not 200 <= status < 300:
            raise FenceFailed(f"{self.name} refused {verb} {path}", self._by_hand(path),
                              f"status {status} {text[:200].decode('utf-8', 'replace')}".strip())
        try:
            found = json.loads(text or b"{}")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise FenceFailed(f"{self.name} answers {path} with something that is no JSON object",
                              "is it a Redfish service?", text[:60].decode("utf-8", "replace"))
        return found

    def _by_hand(self, path: str) -> str:
        return f"try: curl -k -u {self.params.user} https://{self.params.address}:{self.params.port}{path}"

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        if self.params.certificate == "unchecked":
            context.verify_mode = ssl.CERT_NONE
            return context
        try:
            context.load_verify_locations(self.params.certificate)
        except (OSError, ssl.SSLError) as error:
            raise FenceFailed(f"certificate {self.params.certificate}: {error}",
                              "write the BMC's certificate into it, as PEM") from None
        return context
