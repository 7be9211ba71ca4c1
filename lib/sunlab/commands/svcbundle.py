"""svcbundle(8) of Solaris 11: a manifest or a profile made of name=value pairs, printed, put in a file or installed."""
from __future__ import annotations

import getopt
import os
import subprocess
import sys
import time
from xml.sax.saxutils import escape, quoteattr

NAMES = {"bundle-type": "manifest (the default) or profile", "duration": "another name of model",
         "enabled": "true (the default) or false", "instance-name": "the name of the instance; default if not given",
         "instance-property": "group:property:type:value, for the instance; may be repeated",
         "model": "contract (or daemon), child (or wait), or transient, the default",
         "rc-script": "script:runlevel, in place of start-method",
         "refresh-method": "the command to refresh; else :true",
         "service-name": "the name of the service; required",
         "service-property": "group:property:type:value, for the service; may be repeated",
         "start-method": "the command to start; required for a manifest",
         "stop-method": "the command to stop; else :true for transient services, :kill for others"}
SEVERAL = ("instance-property", "service-property")
MODELS = {"contract": "contract", "daemon": "contract", "child": "child", "wait": "child", "transient": "transient"}
RUN_LEVELS = {"1": "single-user", "s": "single-user", "S": "single-user", "2": "multi-user", "3": "multi-user-server"}
PLACES = {"manifest": "/lib/svc/manifest/site", "profile": "/etc/svc/profile/site"}
USAGE = "Usage:\n\tsvcbundle [-i | -o output_file] -s name=value ...\n\tsvcbundle help [name]\n"


class Wrong(Exception):
    """What the caller is told."""


def main(argv: list[str]) -> int:
    if argv[:1] == ["help"]:
        return tell(argv[1:])
    try:
        options, rest = getopt.getopt(argv, "io:s:")
        if rest or not any(flag == "-s" for flag, _ in options):
            raise getopt.GetoptError("")
    except getopt.GetoptError as problem:
        sys.stderr.write((f"svcbundle: {problem}\n" if str(problem) else "") + USAGE)
        return 2
    flags = [flag for flag, _ in options]
    if "-i" in flags and "-o" in flags:
        sys.stderr.write("svcbundle: -i and -o cannot both be given.\n" + USAGE)
        return 2
    try:
        pairs = read([value for flag, value in options if flag == "-s"])
        text = profile(pairs) if one(pairs, "bundle-type") == "profile" else manifest(pairs)
        return deliver(text, pairs, "-i" in flags, dict(options).get("-o", ""))
    except Wrong as problem:
        sys.stderr.write(f"svcbundle: {problem}\n")
    except OSError as problem:
        sys.stderr.write(f"svcbundle: {problem.filename}: {problem.strerror}\n")
    return 1


def tell(words: list[str]) -> int:
    unknown = [word for word in words if word not in NAMES]
    if unknown or len(words) > 1:
        sys.stderr.write(f"svcbundle: there is no name {unknown[0]!r}\n" if unknown else USAGE)
        return 2
    for name in words or NAMES:
        print(f"{name:<20} {NAMES[name]}")
    return 0


def read(given: list[str]) -> dict[str, list[str]]:
    """Raises Wrong for what cannot be made a bundle."""
    pairs: dict[str, list[str]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in NAMES:
            raise Wrong(f"{text!r} is no name=value of a known name; see `svcbundle help`")
        name = "model" if name == "duration" else name
        if name in pairs and name not in SEVERAL:
            raise Wrong(f"{name} may be given only once")
        pairs.setdefault(name, []).append(value)
    for name, allowed in (("bundle-type", PLACES), ("enabled", ("true", "false")), ("model", MODELS)):
        if one(pairs, name) not in ("", *allowed):
            raise Wrong(f"{name} is one of {', '.join(allowed)}, not {one(pairs, name)!r}")
    if not one(pairs, "service-name"):
        raise Wrong("service-name is missing")
    for text in pairs.get("instance-property", []) + pairs.get("service-property", []):
        if text.count(":") < 3 or not all(text.split(":", 3)[:3]):
            raise Wrong(f"{text!r} is not group:property:type:value")
    return pairs


def one(pairs: dict[str, list[str]], name: str) -> str:
    return pairs.get(name, [""])[0]


def manifest(pairs: dict[str, list[str]]) -> str:
    name, script = one(pairs, "service-name"), one(pairs, "rc-script")
    model = MODELS[one(pairs, "model") or "transient"]
    if bool(script) == bool(one(pairs, "start-method")):
        raise Wrong("a manifest needs either start-method or rc-script")
    start = one(pairs, "start-method")
    stop = one(pairs, "stop-method") or (":true" if model == "transient" else ":kill")
    needs = dependency("multi_user_dependency", "svc:/milestone/multi-user")
    if script:
        path, _, level = script.rpartition(":")
        if not path or level not in RUN_LEVELS:
            raise Wrong(f"rc-script is script:runlevel with a run level of {', '.join(RUN_LEVELS)}, not {script!r}")
        start, stop = f"{path} start", one(pairs, "stop-method") or f"{path} stop"
        needs = dependent(name.replace("/", "_"), f"svc:/milestone/{RUN_LEVELS[level]}")
    methods = [line for kind, command in (("start", start), ("stop", stop),
                                          ("refresh", one(pairs, "refresh-method") or ":true"))
               for line in method(kind, command)]
    duration = groups(["startd:duration:astring:" + model], 8, "framework") if model != "contract" else []
    return wrap("manifest", name, [
        *needs, *methods, *duration, *groups(pairs.get("service-property", []), 8), *instance(pairs),
        "        <template>", "            <common_name>",
        f'                <loctext xml:lang="C">{escape(name)}</loctext>', "            </common_name>",
        "        </template>"])


def profile(pairs: dict[str, list[str]]) -> str:
    lines = [*groups(pairs.get("service-property", []), 8)]
    if "instance-name" in pairs or "instance-property" in pairs or "enabled" in pairs:
        lines += instance(pairs)
    return wrap("profile", one(pairs, "service-name"), lines)


def wrap(kind: str, name: str, lines: list[str]) -> str:
    made = time.strftime("%Y-%b-%d %H:%M:%S%z")
    return "\n".join([
        '<?xml version="1.0" ?>', "<!DOCTYPE service_bundle", "  SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>",
        "<!--", f"    {kind.capitalize()} created by svcbundle ({made})", "-->",
        f'<service_bundle type="{kind}" name={quoteattr(name)}>',
        f'    <service version="1" type="service" name={quoteattr(name)}>',
        *lines, "    </service>", "</service_bundle>", ""])


def dependency(name: str, fmri: str) -> list[str]:
    return [f'        <dependency restart_on="none" type="service" name="{name}" grouping="require_all">',
            f'            <service_fmri value="{fmri}"/>', "        </dependency>"]


def dependent(name: str, fmri: str) -> list[str]:
    return [f'        <dependent restart_on="none" name={quoteattr(name)} grouping="optional_all">',
            f'            <service_fmri value="{fmri}"/>', "        </dependent>"]


def method(name: str, command: str) -> list[str]:
    return [f'        <exec_method timeout_seconds="60" type="method" name="{name}"',
            f"            exec={quoteattr(command)}/>"]


def instance(pairs: dict[str, list[str]]) -> list[str]:
    inside = groups(pairs.get("instance-property", []), 12)
    enabled, name = one(pairs, "enabled") or "true", quoteattr(one(pairs, "instance-name") or "default")
    start = f'        <instance enabled="{enabled}" name={name}'
    return [start + ">", *inside, "        </instance>"] if inside else [start + "/>"]


def groups(texts: list[str], indent: int, kind: str = "application") -> list[str]:
    """The property groups that the texts `group:property:type:value` make up."""
    sorted_: dict[str, list[list[str]]] = {}
    for text in texts:
        group, *rest = text.split(":", 3)
        sorted_.setdefault(group, []).append(rest)
    lines, space = [], " " * indent
    for group, properties in sorted_.items():
        lines.append(f'{space}<property_group type="{kind}" name={quoteattr(group)}>')
        lines += [f"{space}    <propval type={quoteattr(type_)} name={quoteattr(name)} value={quoteattr(value)}/>"
                  for name, type_, value in properties]
        lines.append(f"{space}</property_group>")
    return lines


def deliver(text: str, pairs: dict[str, list[str]], install: bool, path: str) -> int:
    if not install and not path:
        sys.stdout.write(text)
        return 0
    if install:
        folder = PLACES[one(pairs, "bundle-type") or "manifest"]
        os.makedirs(folder, exist_ok=True)
        path = f"{folder}/{os.path.basename(one(pairs, 'service-name'))}.xml"
        if os.path.exists(path):
            raise Wrong(f"{path} is there already; remove it first")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    status = subprocess.run(["/usr/sbin/svccfg", "validate", path], check=False).returncode
    if install and status == 0:
        return subprocess.run(["/usr/sbin/svcadm", "restart", "svc:/system/manifest-import"], check=False).returncode
    return status
