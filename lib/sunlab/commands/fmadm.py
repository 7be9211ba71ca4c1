"""fmadm(8): what is faulty, and that it has been repaired. `fmadm sunlab-inject` puts a fault in (sunlab fault)."""
from __future__ import annotations

import sys
import time

from sunlab import platform
from sunlab.fault import log
from sunlab.smf.client import call

USAGE = """Usage: fmadm [-P prog] [-q] [cmd [args ... ]]

\tfmadm acquit <fmri> [<uuid>] | <label> [<uuid>] | <uuid>
\t                    - acquit resource or entire case
\tfmadm config        - display fault manager configuration
\tfmadm faulty [-afgiprsv] [-u <uuid>] [-n <max_fault>]
\t                    - display list of faulty resources
\tfmadm repaired <fmri>|label
\t                    - notify fault manager that resource has been repaired
"""
RULE = "--------------- ------------------------------------  -------------- ---------\n"
HEADER = RULE + "TIME            EVENT-ID                              MSG-ID         SEVERITY\n" + RULE
MODULES = (("cpumem-retire", "1.1", "CPU/Memory Retire Agent"), ("eft", "1.16", "eft diagnosis engine"),
           ("fmd-self-diagnosis", "1.0", "Fault Manager Self-Diagnosis"),
           ("io-retire", "2.0", "I/O Retire Agent"), ("software-diagnosis", "0.1", "Software Diagnosis engine"),
           ("software-response", "0.1", "Software Response Agent"),
           ("syslog-msgs", "1.1", "Syslog Messaging Agent"), ("zfs-diagnosis", "1.0", "ZFS Diagnosis Engine"),
           ("zfs-retire", "1.0", "ZFS Retire Agent"))


def present() -> list[log.Fault]:
    """Injected faults that nobody repaired, and services in maintenance, the newest last."""
    answer = call("svcs", ["-aHo", "fmri,state"]) or []
    fmris = [line.split()[0] for key, text in answer if key == "out" for line in text.splitlines()
             if line.split()[1:] == ["maintenance"]]
    rows = []
    for fmri in fmris:
        told = call("svcprop", ["-p", "restarter/state_timestamp", fmri]) or []
        rows.append((fmri, float(next((text for key, text in told if key == "out"), "0"))))
    found = [fault for fault in log.kept() if fault.status == "faulty"] + log.in_maintenance(rows)
    return sorted(found, key=lambda fault: fault.at)


def row(fault: log.Fault) -> str:
    at = time.strftime("%b %d %H:%M:%S", time.localtime(fault.at))
    return f"{at:<15} {fault.uuid:<36}  {fault.code:<14} {fault.severity:<9}\n"


def faulty(argv: list[str]) -> int:
    letters = "".join(word[1:] for word in argv if word.startswith("-"))
    if set(letters) - set("afgiprsvun"):
        sys.stderr.write(USAGE)
        return 2
    wanted = argv[argv.index("-u") + 1:argv.index("-u") + 2] if "-u" in argv else []
    found = [fault for fault in present() if not wanted or fault.uuid in wanted]
    if not found:
        return 0
    if "s" in letters:
        sys.stdout.write(HEADER + "".join(row(fault) for fault in found))
        return 0
    for fault in found:
        sys.stdout.write(HEADER + row(fault) + details(fault))
    return 0


def details(fault: log.Fault) -> str:
    base, smf = platform.here().messages, fault.kind == log.SMF_CLASS
    resource = fault.resource.replace("svc:/", "svc:///", 1) if smf else fault.resource
    state = "faulted and taken out of service" if smf else "faulted but still in service"
    response = ("The service has been placed into the maintenance state." if smf
                else "No automated response will occur.")
    impact = f"{fault.resource} is unavailable." if smf else "The resource may not work as it should."
    action = (f"Run 'svcs -xv {fault.resource}' to determine the generic reason\n"
              "              why the service failed, the location of any logfiles, and a list of\n"
              "              other services impacted." if smf else
              "Use 'fmadm faulty' to identify the resource, and replace it.")
    return (f"\nFault class : {fault.kind}\nAffects     : {resource}\n                  {state}\n"
            f"Problem in  : {resource}\n                  {state}\n\nDescription : {fault.text}\n"
            f"              Refer to {base}{fault.code} for more\n              information.\n\n"
            f"Response    : {response}\n\nImpact      : {impact}\n\nAction      : {action}\n\n")


def config() -> int:
    sys.stdout.write("MODULE                   VERSION STATUS  DESCRIPTION\n")
    for name, version, text in MODULES:
        sys.stdout.write(f"{name:<24} {version:<7} active  {text}\n")
    return 0


def ended(command: str, argv: list[str]) -> int:
    """repaired and acquit: by resource or by event; a service in maintenance is cleared (software-response)."""
    if not argv:
        sys.stderr.write(USAGE)
        return 2
    wanted = argv[0].replace("svc:///", "svc:/", 1)
    chosen = [fault for fault in present() if wanted in (fault.resource, fault.uuid)]
    if not chosen:
        sys.stderr.write(f"fmadm: failed to record {command} to {argv[0]}: "
                         "specified resource is not known to be faulty\n")
        return 1
    every = log.kept()
    for fault in every:
        if fault.uuid in [one.uuid for one in chosen]:
            fault.status = "repaired" if command == "repaired" else "acquitted"
    log.keep(every)
    for fault in chosen:
        if fault.kind == log.SMF_CLASS:
            call("svcadm", ["clear", fault.resource])
    word = "repair" if command == "repaired" else "acquittal"
    sys.stdout.write(f"fmadm: recorded {word} to {argv[0]}\n")
    return 0


def main(argv: list[str]) -> int:
    command, rest = (argv[0], argv[1:]) if argv else ("faulty", [])
    if command == "faulty":
        return faulty(rest)
    if command == "config":
        return config()
    if command in ("repaired", "acquit", "repair"):
        return ended("repaired" if command == "repair" else command, rest)
    if command == "sunlab-inject" and len(rest) == 5:
        sys.stdout.write(log.add(*rest).uuid + "\n")
        return 0
    sys.stderr.write(USAGE)
    return 2
