"""The commands' side of the door: ask svc.startd and print the answer. Imports next to nothing, to start at once."""
import _socket
import posix
import sys
from _json import encode_basestring_ascii, scanstring  # the C parts of json: the package itself costs milliseconds

DOOR = "/var/run/svc/door"


def call(command: str, args: list[str], text: str = "", door: str = DOOR) -> "list[tuple[str, str]] | None":
    """Ask; the answer is a list of ("out"|"err"|"exit", text). None: there is no svc.startd."""
    caller = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        caller.connect(door)
    except OSError:
        return None
    terminal = "true" if posix.isatty(0) else "false"
    listed = ",".join(encode_basestring_ascii(a) for a in args)
    caller.sendall((f'{{"command":"{command}","args":[{listed}],"folder":{encode_basestring_ascii(posix.getcwd())},'
                    f'"terminal":{terminal},"input":{encode_basestring_ascii(text)}}}\n').encode())
    pieces = []
    while True:
        piece = caller.recv(1 << 16)
        if not piece:
            break
        pieces.append(piece)
    caller.close()
    return [_parse(line) for line in b"".join(pieces).decode().splitlines()]


def _parse(line: str) -> tuple[str, str]:
    """{"key": "text"} or {"exit": N}."""
    key, at = scanstring(line, 2, True)
    rest = line[at:].lstrip(": ")
    return key, rest.rstrip("} ") if key == "exit" else scanstring(rest, 1, True)[0]


VALUED = {"svcs": "osSRz", "svcprop": "psz", "svcadm": "zS", "svccfg": "sfz"}      # options that take a value


def zone_of(command: str, args: list[str]) -> "str | None":
    """What -z names, among the options before the first operand."""
    at = int(args[:1] == ["SVCCFG_CHECKHASH=1"])
    while at < len(args) and args[at][:1] == "-" and len(args[at]) > 1:
        for number, letter in enumerate(args[at][1:], 2):
            if letter in VALUED.get(command, "z"):
                inline = args[at][number:]
                at += not inline
                if letter == "z":
                    return (inline or args[at]) if inline or at < len(args) else None   # None: usage is the door's
                break
        at += 1
    return None


def door_of(command: str, args: list[str]) -> str:
    """The door of the zone that -z names, else our own. Raises LookupError for a zone that does not run."""
    zone = zone_of(command, args)
    if zone is None:
        return DOOR
    if "/" in zone or not zone.strip("."):
        raise LookupError(f"invalid zone '{zone}'")
    try:
        from sunlab.zones import door
        from sunlab.zones.registry import inside
        if inside():
            raise LookupError(f"{command} -z may only be used from the global zone")
        return DOOR if zone == "global" else str(door(zone))
    except (ImportError, KeyError) as none:
        raise LookupError(f"invalid zone '{zone}'") from none


def ask(command: str, args: list[str], text: str = "", door: str = "") -> int:
    """Ask, print, and return the exit status."""
    try:
        answer = call(command, args, text, door or door_of(command, args))
    except LookupError as wrong:
        sys.stderr.write(f"{command}: {wrong}\n")
        return 1
    if answer is None:
        sys.stderr.write(f"{command}: Could not bind to repository: server not responding\n")
        return 1
    status = 1
    for key, said in answer:
        if key == "exit":
            status = int(said)
        else:
            (sys.stdout if key == "out" else sys.stderr).write(said)
    return status
