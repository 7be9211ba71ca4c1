"""What ipmi_sim is told: its LAN side (ipmi_lan(5)) and the management controller that it plays (ipmi_sim_cmd(5))."""
from pathlib import Path
from typing import Sequence

from sunlab.spec import BmcSpec, NodeSpec

#: The serial line between the controller and its board, as QEMU's ipmi-bmc-extern has it; on the loopback.
BOARD_PORT = 9002

# Sensor 0 is the watchdog's (IPMI 2.0, table 42-3, type 23h): a countdown that ends is an entry in the event log.
CONTROLLER = """mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
sensor_add 0x20 0 0 35 0x6f event-only
sensor_set_event_support 0x20 0 0 enable scanning per-state \\
    000000000001111 000000000000000 000000000001111 000000000000000
mc_enable 0x20
"""


def lan(node: NodeSpec, bmc: BmcSpec, control: Path) -> str:
    """lan.conf: UDP port 623, RMCP+ (which wants a GUID) for one administrator, the chassis by that program."""
    levels = "".join(f"  allowed_auths_{level} md5\n" for level in ("user", "operator", "admin"))
    return (f'name "{node.name}"\nset_working_mc 0x20\n'
            f"startlan 1\n  addr 0.0.0.0 623\n  priv_limit admin\n{levels}  guid {node.hostid:032x}\nendlan\n"
            f'chassis_control "{control}"\n'
            f"serial 15 127.0.0.1 {BOARD_PORT} codec VM\n"
            f'user 2 true "{bmc.user}" "{bmc.password}" admin 10 md5\n')


def control(socket: Path) -> str:
    """A program for ipmi_sim: `get power`, `set power 0|1`, `set reset 1`, `set shutdown 1`, passed to the board."""
    return ('#!/bin/sh\n'
            f'answer=$(echo "$*" | socat -t 30 - UNIX-CONNECT:{socket}) || exit 1\n'
            'case $answer in error*) echo "$answer"; exit 1 ;; esac\n'
            'echo "$answer"\n')


def prepare(folder: Path, node: NodeSpec, bmc: BmcSpec) -> Sequence[str]:
    """Write its files into `folder`; the command that runs it."""
    program, settings, commands = folder / "chassis_control", folder / "lan.conf", folder / "controller.emu"
    program.write_text(control(folder / "board"), encoding="utf-8")
    program.chmod(0o755)
    settings.touch(0o600)
    settings.write_text(lan(node, bmc, program), encoding="utf-8")
    commands.write_text(CONTROLLER, encoding="utf-8")
    (folder / "state").mkdir(exist_ok=True)
    return ["ipmi_sim", "-c", str(settings), "-f", str(commands), "-s", str(folder / "state"), "-n"]
