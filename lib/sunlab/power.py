"""A node's power supply: a process on the host that boots the node, and boots it again when it resets itself.

How the node's init ended tells what happened to it (reboot(2) in a pid namespace, pid_namespaces(7)): SIGHUP is a
reset, SIGINT a halt, anything else a power cut. After a reset it is booted again; otherwise the supply ends.
"""
import os
import select
import signal
import traceback
from pathlib import Path

from sunlab import cgroups, drives, init, linux, network, serial
from sunlab.places import Places
from sunlab.spec import NodeSpec, Spec
from sunlab.zones.registry import alive

_NAMESPACES = (linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWPID | linux.CLONE_NEWNET)


def switch_on(spec: Spec, places: Places, node: str) -> None:
    """Start the node's supply as a daemon; returns when the node's init runs. Raises RuntimeError when it cannot."""
    folder = places.node(node)
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready)
        _daemonise(folder / "power.log", tell)
        status = 1
        try:
            supply(spec, places, spec.nodes[node], tell)
            status = 0
        except Exception:  # noqa: BLE001 - the end of a daemon: all there is to say goes to its log
            _say(traceback.format_exc())
        finally:
            os._exit(status)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(ready, "rb") as pipe:
        said = pipe.read()
    if said != b"on":
        raise RuntimeError(f"node {node} did not boot: see {folder}/power.log")


def _daemonise(log: Path, keep: int) -> None:
    """Double fork, own session, output to `log`, nothing inherited but `keep` (daemon(7))."""
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    os.chdir("/")
    null = os.open("/dev/null", os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    for descriptor in range(3, 256):
        if descriptor != keep:
            try:
                os.close(descriptor)
            except OSError:
                pass
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _say(text: str) -> None:
    """To the log, past sys.stdout, which may be anything in the program that this process was forked from."""
    os.write(2, text.encode())


def supply(spec: Spec, places: Places, node: NodeSpec, tell: int) -> None:
    """Boot the node, again and again while it resets itself."""
    first = True
    (places.node(node.name) / "supply").write_text(str(os.getpid()))
    while True:
        ended = _one_boot(spec, places, node, tell if first else -1)
        first = False
        _say(f"the node's init ended by {signal.Signals(ended).name if ended else 'itself'}\n")
        if ended != signal.SIGHUP:
            return


def _one_boot(spec: Spec, places: Places, node: NodeSpec, tell: int) -> int:
    """From power-on to the end of the init; the signal that ended it (0: it returned)."""
    folder, group = places.node(node.name), places.cgroup(node.name)
    cgroups.kill(group)
    cgroups.remove(group)
    contracts = cgroups.make(group / "contracts")
    cgroups.make(group / "kernel")
    from_child, to_parent = os.pipe()
    from_parent, to_child = os.pipe()
    middle = os.fork()
    if middle == 0:
        if tell >= 0:
            os.close(tell)              # or the one who waits for it would wait for the node's end
        _middle(spec, places, node, (from_parent, to_parent), contracts)
    os.close(to_parent)
    os.close(from_parent)
    pid = int(os.read(from_child, 20) or b"0")
    if pid == 0:
        raise RuntimeError("the node's init was not born")
    network.connect(spec, places, node.name, node.addresses, str(pid))
    init.set_addresses(pid, node.addresses, (folder / "upper/etc/ipadm/ipadm.conf").read_text(encoding="ascii"))
    os.write(to_child, b"go")
    os.close(to_child)
    os.read(from_child, 1)      # ends when the init reaches its program: only then may its root be entered
    os.close(from_child)
    (folder / "pid.new").write_text(str(pid))
    os.replace(folder / "pid.new", folder / "pid")
    if not pid_of(places, node.name):
        raise RuntimeError("the node's init did not reach its program")
    if tell >= 0:
        os.write(tell, b"on")
        os.close(tell)
    _, status = os.waitpid(middle, 0)
    (folder / "pid").unlink(missing_ok=True)
    cgroups.kill(group)
    network.disconnect(places, node.name, len(node.addresses))
    return os.waitstatus_to_exitcode(status)


def _middle(spec: Spec, places: Places, node: NodeSpec, pipes: "tuple[int, int]", contracts: Path) -> None:
    """Between the supply and the init: a process whose children are in the node's namespaces. Never returns."""
    from_parent, to_parent = pipes
    try:
        linux.unshare(_NAMESPACES)
        child = os.fork()
        if child == 0:
            _init(spec, places, node, from_parent, contracts)
        os.write(to_parent, str(child).encode())
        os.close(to_parent)
        _, status = os.waitpid(child, 0)
        os._exit(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)
    except Exception:  # noqa: BLE001 - a forked child must not return into its parent's code
        _say(traceback.format_exc())
    finally:
        os._exit(1)


def _init(spec: Spec, places: Places, node: NodeSpec, from_parent: int, contracts: Path) -> None:
    try:
        cgroups.enter(places.cgroup(node.name) / "kernel")
        if os.read(from_parent, 2) == b"go":
            os.close(from_parent)
            disks = {name: places.disks / name for name in node.disks if name not in spec.faulty}
            init.prepare(node.name, places.node(node.name), places.image, disks, contracts,
                         lambda root: drives.start(spec, places, node, root), serial.ends(places, node.name))
    except Exception:  # noqa: BLE001 - as above
        _say(traceback.format_exc())
    finally:
        os._exit(1)


def pid_of(places: Places, node: str) -> int:
    """The host's pid of the node's init; 0 when the node is off."""
    try:
        pid = int((places.node(node) / "pid").read_text())
    except (OSError, ValueError):
        return 0
    return pid if alive(pid) else 0


def supply_of(folder: Path) -> int:
    """The pid of the supply of the node with this folder; 0 when there is none."""
    try:
        pid = int((folder / "supply").read_text())
        ours = b"python" in Path(f"/proc/{pid}/cmdline").read_bytes() and os.readlink(f"/proc/{pid}/cwd") == "/"
    except (OSError, ValueError):
        return 0
    return pid if ours else 0


def end_supply(folder: Path) -> None:
    """End the supply of the node with this folder; the node itself goes on until it is killed."""
    pid = supply_of(folder)
    if pid:
        os.kill(pid, signal.SIGKILL)
        wait_gone(pid)


def await_off(folder: Path) -> None:
    """Until the supply of a node that was cut has cleared up, so that the node can be switched on again."""
    pid = supply_of(folder)
    if pid:
        wait_gone(pid)


def cut(places: Places, node: str) -> None:
    """Power cut: the init is killed, and with it everything in the node. Returns when nothing of it runs."""
    pid = pid_of(places, node)
    if pid:
        os.kill(pid, signal.SIGKILL)
    cgroups.kill(places.cgroup(node))
    if pid:
        wait_gone(pid)


def wait_gone(pid: int) -> None:
    """Until the process is dead: an init, when nothing is left in its namespace. Raises RuntimeError after 10 s."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = select.select([handle], [], [], 10)[0]
    os.close(handle)
    if not ended:
        raise RuntimeError(f"process {pid} did not die within 10 s of SIGKILL")
