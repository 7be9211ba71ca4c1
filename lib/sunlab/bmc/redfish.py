"""A node's Redfish service (DMTF DSP0266, schema ComputerSystem): power state and reset, by HTTPS with Basic
authentication, port 443, a certificate of its own making.
"""
import base64
import hmac
import http.server
import json
import ssl
import subprocess
import threading
from http import HTTPStatus
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from sunlab.bmc.chassis import Chassis, Refused
from sunlab.spec import BmcSpec

ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/1"
MANAGER = f"{ROOT}/Managers/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"


def resets(chassis: Chassis) -> Mapping[str, Callable[[], None]]:
    """ResetType -> what it does (schema Resource, ResetType)."""
    return {"On": chassis.on, "ForceOff": chassis.off, "ForceRestart": chassis.reset, "PowerCycle": chassis.cycle,
            "GracefulShutdown": chassis.button, "PushPowerButton": chassis.button}


def _collection(path: str, kind: str, members: Tuple[str, ...]) -> Dict[str, Any]:
    return {"@odata.id": path, "@odata.type": f"#{kind}.{kind}", "Name": kind, "Members@odata.count": len(members),
            "Members": [{"@odata.id": member} for member in members]}


def resources(node: str, hostname: str, chassis: Chassis) -> Mapping[str, Dict[str, Any]]:
    """Path -> what a GET of it answers now."""
    state = "On" if chassis.is_on() else "Off"
    return {
        "/redfish": {"v1": f"{ROOT}/"},
        ROOT: {"@odata.id": f"{ROOT}/", "@odata.type": "#ServiceRoot.v1_5_0.ServiceRoot", "Id": "RootService",
               "Name": "Root Service", "RedfishVersion": "1.6.0", "Systems": {"@odata.id": f"{ROOT}/Systems"},
               "Managers": {"@odata.id": f"{ROOT}/Managers"}},
        f"{ROOT}/Systems": _collection(f"{ROOT}/Systems", "ComputerSystemCollection", (SYSTEM,)),
        f"{ROOT}/Managers": _collection(f"{ROOT}/Managers", "ManagerCollection", (MANAGER,)),
        SYSTEM: {"@odata.id": SYSTEM, "@odata.type": "#ComputerSystem.v1_10_0.ComputerSystem", "Id": "1", "Name": node,
                 "HostName": hostname, "PowerState": state, "Status": {"State": "Enabled", "Health": "OK"},
                 "Links": {"ManagedBy": [{"@odata.id": MANAGER}]},
                 "Actions": {"#ComputerSystem.Reset": {
                     "target": RESET, "ResetType@Redfish.AllowableValues": list(resets(chassis))}}},
        MANAGER: {"@odata.id": MANAGER, "@odata.type": "#Manager.v1_5_0.Manager", "Id": "1", "Name": f"{node} BMC",
                  "ManagerType": "BMC", "Links": {"ManagerForServers": [{"@odata.id": SYSTEM}]}},
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    node: str                   # these three are set in a class made for the node
    bmc: BmcSpec
    chassis: Chassis

    def do_GET(self) -> None:
        path = self.path.rstrip("/")
        if path not in ("/redfish", ROOT) and not self._allowed():
            return
        found = resources(self.node, self.node, self.chassis).get(path)
        if found is None:
            self._wrong(HTTPStatus.NOT_FOUND, f"there is no resource {self.path}")
        else:
            self._answer(HTTPStatus.OK, found)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._allowed():
            return
        if self.path != RESET:
            self._wrong(HTTPStatus.NOT_FOUND, f"there is no action {self.path}")
            return
        doings = resets(self.chassis)
        try:
            wanted = json.loads(text)["ResetType"]
            doing = doings[wanted]
        except (ValueError, KeyError, TypeError):
            self._wrong(HTTPStatus.BAD_REQUEST, f"ResetType is one of {', '.join(doings)}")
            return
        try:
            doing()
        except Refused as problem:
            self._wrong(HTTPStatus.CONFLICT, f"{wanted}: {problem}")
        else:
            self._answer(HTTPStatus.NO_CONTENT, None)

    def _allowed(self) -> bool:
        given = self.headers.get("Authorization", "")
        right = "Basic " + base64.b64encode(f"{self.bmc.user}:{self.bmc.password}".encode()).decode()
        if hmac.compare_digest(given.encode(), right.encode()):
            return True
        self._wrong(HTTPStatus.UNAUTHORIZED, "this needs the controller's user and password (Basic authentication)",
                    {"WWW-Authenticate": 'Basic realm="bmc"'})
        return False

    def _wrong(self, status: HTTPStatus, text: str, headers: Optional[Mapping[str, str]] = None) -> None:
        self._answer(status, {"error": {"code": "Base.1.0.GeneralError", "message": text}}, headers)

    def _answer(self, status: HTTPStatus, body: Optional[Dict[str, Any]],
                headers: Optional[Mapping[str, str]] = None) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("OData-Version", "4.0")
        if body is not None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, handler: type) -> None:
        self.context = context
        super().__init__(("0.0.0.0", 443), handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the request's own thread: a client that never says hello holds up nobody else.
        request.settimeout(30)
        with self.context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up or does not trust the certificate is no error of the service."""


def certificate(folder: Path, node: str) -> Tuple[Path, Path]:
    """A key and a certificate signed by it, made once."""
    key, cert = folder / "bmc.key", folder / "bmc.crt"
    if not cert.exists():
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"]
        subprocess.run(["openssl", "req", "-x509", *kind, "-subj", f"/CN={node}-bmc", "-keyout", str(key),
                        "-out", str(cert)], check=True, capture_output=True)
    return key, cert


def serve(folder: Path, bmc: BmcSpec, node: str, chassis: Chassis) -> None:
    """Bind in the network namespace that this thread is in, and answer in another thread."""
    key, cert = certificate(folder, node)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = Server(context, type("NodeHandler", (Handler,), {"node": node, "bmc": bmc, "chassis": chassis}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
