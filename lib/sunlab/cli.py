"""`sunlab`: a cluster of Solaris-like hosts on this machine, and faults for it.

Exit status: 0 done; 1 failed; 2 usage or a wrong lab file; `exec` passes on the command's own.
"""
import argparse
import json
import os
import sys
from pathlib import Path
from typing import Callable, Dict, List, Optional

from sunlab.disks.fault import FORM
from sunlab.lab import Lab, LabError, labs, take_down
from sunlab.network import CommandFailed
from sunlab.spec import SpecError

EXAMPLE = """example:
  sunlab up lab.yaml
  sunlab exec n1 -- svcs -x
  sunlab cut n1 --network private ; sunlab heal
  sunlab kill n1 ; sunlab boot n1
  sunlab down
With several labs, name one: sunlab --lab NAME …, or SUNLAB=NAME."""

SCENARIO = """a scenario (lab files: see docs/lab.md); steps are up, kill, boot,
freeze, thaw, wait-booted, cut, heal, disk, exec, expect, sleep
  lab: lab.yaml
  steps:
    - up:
    - exec: {on: n1, run: "svcs -x", status: 0}
    - cut: {node: n1, network: private, one-way: true}
    - heal:
    - disk: {node: n1, disk: c0t1d0s0, fault: slow 200}
    - kill: n1
    - expect: {on: n2, run: "svcs -Ho state web", output: "^online$", within: 20}"""


def the_lab(options: argparse.Namespace) -> Lab:
    name = options.lab or os.environ.get("SUNLAB")
    if name is None:
        names = labs()
        if len(names) != 1:
            raise LabError("there is no lab; `sunlab up FILE` makes one" if not names
                           else f"there are several labs ({', '.join(names)}): say which with --lab NAME")
        name = names[0]
    return Lab(name)


def up(options: argparse.Namespace) -> int:
    lab = Lab.up(options.file)
    if not options.no_wait:
        for node in lab.spec.nodes:
            lab.wait_booted(node)
    print(f"lab {lab.spec.lab} is up: {', '.join(lab.spec.nodes)}")
    return 0


def down(options: argparse.Namespace) -> int:
    name = options.name or options.lab or os.environ.get("SUNLAB")
    if name or labs():
        take_down(name or the_lab(options).spec.lab)
    return 0


def status(options: argparse.Namespace) -> int:
    facts = the_lab(options).status()
    if options.json:
        print(json.dumps(facts))
        return 0
    print(f"{'NODE':<12}{'POWER':<8}{'PID':<8}ADDRESSES")
    for name, node in facts["nodes"].items():
        power = "frozen" if node["frozen"] else node["power"]
        print(f"{name:<12}{power:<8}{node['pid'] or '-':<8}{' '.join(node['addresses'].values())}")
    return 0


def execute(options: argparse.Namespace) -> int:
    """Becomes the command, which so has the terminal, its signals and its exit status."""
    lab = the_lab(options)
    words = options.command[1:] if options.command[:1] == ["--"] else options.command
    argv = lab.argv(options.node, words or ["/bin/bash"])
    os.execvpe(argv[0], argv, lab.environment(options.node))


def shell(options: argparse.Namespace) -> int:
    """A login shell whose prompt names the node; becomes it, as execute does."""
    lab = the_lab(options)
    argv = lab.argv(options.node, ["/bin/bash", "--noprofile", "--norc", "-i"])
    prompt = {"PS1": f"root@{options.node}:\\w# ", "SHELL": "/bin/bash", "LOGNAME": "root", "USER": "root"}
    os.execvpe(argv[0], argv, {**lab.environment(options.node), **prompt})


def zones_of(lab: Lab) -> Dict[str, List[str]]:
    """Node -> `NAME STATE` of its zones; a node that is off or frozen tells none."""
    found = {}
    for node, facts in lab.status()["nodes"].items():
        if facts["power"] == "on" and not facts["frozen"]:
            listed = lab.exec(node, ["zoneadm", "list", "-cp"], check=False).stdout.splitlines()
            found[node] = [" ".join(line.split(":")[1:3]) for line in listed if line.split(":")[1:2] != ["global"]]
    return found


def draw(options: argparse.Namespace) -> int:
    lab = the_lab(options)
    zones = zones_of(lab)
    if options.json:
        print(json.dumps({**lab.status(), "networks": dict(lab.spec.networks), "zones": zones}))
    else:
        from sunlab.picture import draw as drawn
        print(drawn(lab.spec, lab.status(), zones))
    return 0


def run(options: argparse.Namespace) -> int:
    from sunlab import rehearse, scenario
    plan = scenario.load(Path(options.file))

    def tell(outcome: "rehearse.Outcome") -> None:
        print(f"{'FAILED' if outcome.wrong else 'ok':<7}{outcome.seconds:7.2f} s  {outcome.step.name}", flush=True)
        if outcome.wrong:
            print(f"{options.file}:{outcome.step.line}: {outcome.wrong}", file=sys.stderr)

    outcomes = rehearse.carry_out(plan, keep=options.keep, tell=tell)
    if options.report:
        Path(options.report).write_text(rehearse.report(plan, outcomes), encoding="utf-8")
    return 1 if any(outcome.wrong is not None for outcome in outcomes) else 0


def cut(options: argparse.Namespace) -> int:
    the_lab(options).cut(options.node, options.network, options.peer, options.one_way)
    return 0


def heal(options: argparse.Namespace) -> int:
    the_lab(options).heal()
    return 0


def unplug(options: argparse.Namespace) -> int:
    getattr(the_lab(options), options.name_of_command)(options.node, options.interface)
    return 0


def kill(options: argparse.Namespace) -> int:
    the_lab(options).kill(options.node, options.plug)
    return 0


def disk(options: argparse.Namespace) -> int:
    the_lab(options).disk(options.node, options.disk, " ".join(options.fault))
    return 0


def on_node(name: str) -> Callable[[argparse.Namespace], int]:
    def act(options: argparse.Namespace) -> int:
        getattr(the_lab(options), name)(options.node)
        return 0
    return act


def arguments() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="sunlab", description=(__doc__ or "").splitlines()[0], epilog=EXAMPLE,
                                     formatter_class=form)
    parser.add_argument("--lab", help="which lab, when there are several")
    commands = parser.add_subparsers(dest="name_of_command", required=True, metavar="COMMAND")

    def command(name: str, does: Callable[[argparse.Namespace], int], text: str,
                example: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, epilog=f"example: {example}", formatter_class=form)
        sub.set_defaults(does=does)
        return sub

    sub = command("up", up, "build a lab and boot its nodes", "sunlab up lab.yaml")
    sub.add_argument("file")
    sub.add_argument("--no-wait", action="store_true", help="do not wait until the nodes have booted")
    sub = command("down", down, "remove a lab and everything in it", "sunlab down demo")
    sub.add_argument("name", nargs="?")
    sub = command("status", status, "say which nodes are on", "sunlab status --json")
    sub.add_argument("--json", action="store_true")
    sub = command("exec", execute, "run a command in a node or as a client", "sunlab exec n1 -- svcs -a")
    sub.add_argument("node")
    sub.add_argument("command", nargs=argparse.REMAINDER)
    command("shell", shell, "a login shell in a node", "sunlab shell n1").add_argument("node")
    sub = command("draw", draw, "print the topology: networks, nodes, disks, zones", "sunlab draw --json")
    sub.add_argument("--json", action="store_true")
    sub = command("run", run, "carry out a scenario file, in a lab of its own",
                  "sunlab run test/lab/scenario.yaml --report report.xml\n\n" + SCENARIO)
    sub.add_argument("file")
    sub.add_argument("--report", metavar="FILE", help="write JUnit's XML, a test case for each step")
    sub.add_argument("--keep", action="store_true", help="leave the lab up at the end")
    sub = command("kill", kill, "cut a node's power", "sunlab kill n1")
    sub.add_argument("node")
    sub.add_argument("--plug", action="store_true", help="and its controller's, until the node is booted again")
    texts: Dict[str, str] = {"boot": "switch a node on",
                             "thaw": "let a frozen node go on",
                             "freeze": "stop a node as a paused virtual machine is stopped"}
    for name, text in texts.items():
        command(name, on_node(name), text, f"sunlab {name} n1").add_argument("node")
    sub = command("cut", cut, "lose a node's frames", "sunlab cut n1 --network private --from n2")
    sub.add_argument("node")
    sub.add_argument("--network", help="on this network only")
    sub.add_argument("--from", dest="peer", help="to and from this node only")
    sub.add_argument("--one-way", action="store_true", help="lose only what the node sends")
    for name, text in (("unplug", "pull the cable out of a node's interface: its link goes down (bmc: controller)"),
                       ("plug", "put the cable back")):
        sub = command(name, unplug, text, f"sunlab {name} n1 net0")
        sub.add_argument("node")
        sub.add_argument("interface")
    sub = command("disk", disk, "make a shared disk slow, hang or fail for one node, or ok again",
                  "sunlab disk n1 c0t1d0s0 slow 200\n         sunlab disk n1 c0t1d0s0 ok")
    sub.add_argument("node")
    sub.add_argument("disk")
    sub.add_argument("fault", nargs="+", metavar="FAULT", help=FORM)
    command("heal", heal, "undo every cut", "sunlab heal")
    return parser


def main(words: Optional[List[str]] = None) -> int:
    options = arguments().parse_args(words)
    try:
        return int(options.does(options))
    except SpecError as error:
        print(error, file=sys.stderr)
        return 2
    except (LabError, CommandFailed, RuntimeError, OSError) as error:
        print(f"sunlab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
