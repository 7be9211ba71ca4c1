"""`sundogd --witness`: a witness on any Unix host; needs Python's standard library and PyYAML.

Exit status: 0 ended on request, or --check found nothing wrong; 1 tried again by whoever runs it; 2 usage; 96 the file
or a key is wrong, or another witness serves the directory (SMF: maintenance).
"""
import argparse
import asyncio
import signal
import sys
from typing import List

from sundog.config.problems import ERROR, ConfigError, Problem
from sundog.config.witness import Settings, load
from sundog.daemon.door import raise_limit
from sundog.daemon.witness import WitnessServer
from sundog.errors import ConfigProblem, SundogError
from sundog.link.key import load_key
from sundog.solaris.log import log

OK, AGAIN, MISCONFIGURED = 0, 1, 96
CONFIG = "/etc/sundog/witness.yaml"


def say(text: str) -> None:
    log(f"sundogd: {text}")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="sundogd --witness", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Vote for Sundog clusters on a host that runs none of their groups.",
        epilog="example:\n  sundogd --witness --config /etc/sundog/witness.yaml --check && sundogd --witness\n\n"
               "exit status: 0 ended on request, or --check found nothing wrong; 1 failed, and may be started again;\n"
               "2 wrong usage; 96 the file or a key is wrong, which is said with its place")
    made.add_argument("--witness", action="store_true", required=True, help="be a witness, not a node's coordinator")
    made.add_argument("--config", default=CONFIG, metavar="FILE", help=f"default: {CONFIG}")
    made.add_argument("--check", action="store_true", help="check the file and the keys that it names, and end")
    made.add_argument("--json", action="store_true", help="with --check: print the outcome as JSON")
    return made


async def serve(settings: Settings) -> int:
    server = WitnessServer(settings, say)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await server.open()
    say(f"witness of {', '.join(settings.key_files)} on {settings.address} port {settings.port}; lives: "
        + ", ".join(f"{served.name} {served.store.life}" for served in server.clusters.values()))
    await over.wait()
    await server.close()
    return OK


def check(path: str, as_json: bool) -> int:
    """Say everything that is wrong with the file and its keys."""
    import json
    wrong = problems(path)
    if as_json:
        sys.stdout.write(json.dumps({"ok": not wrong, "problems": [one.plain() for one in wrong]}) + "\n")
    else:
        sys.stdout.write(("\n".join(map(str, wrong)) or f"{path}: good") + "\n")
    return MISCONFIGURED if wrong else OK


def problems(path: str) -> List[Problem]:
    """All that is wrong with the file, or else with the keys that it names."""
    try:
        settings = load(path)
    except ConfigError as error:
        return list(error.problems)
    found = []
    for cluster, key_file in settings.key_files.items():
        try:
            load_key(key_file)
        except ConfigProblem as error:
            found.append(Problem(ERROR, path, settings.places[cluster], error.what, error.remedy))
    return found


def main(arguments: List[str]) -> int:
    given = parser().parse_args(arguments)
    if given.check:
        return check(given.config, given.json)
    raise_limit()
    try:
        return asyncio.run(serve(load(given.config)))
    except ConfigProblem as error:
        say(str(error))
        return MISCONFIGURED
    except (SundogError, OSError) as error:
        say(str(error))
        return AGAIN
