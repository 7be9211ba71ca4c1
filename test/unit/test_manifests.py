"""What the package delivers: manifests that SMF takes, methods that are there, a list of files that is whole."""
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from sundog.resource import TYPES
from sundog.resource.instances import METHOD, STOP_S, method_line, names

TOP = Path(__file__).parents[2]
MANIFESTS = sorted((TOP / "manifests").glob("*.xml"))
WRAPPERS = sorted((TOP / "smf").iterdir())


def ids(path: Path) -> str:
    return path.name


def service(name: str) -> ElementTree.Element:
    found = ElementTree.parse(TOP / f"manifests/{name}.xml").find("service")
    assert found is not None
    return found


def execs(name: str) -> "dict[str, ElementTree.Element]":
    return {one.attrib["name"]: one for one in service(name).iter("exec_method")}


@pytest.mark.skipif(shutil.which("xmllint") is None, reason="xmllint is not installed: run bin/bootstrap")
@pytest.mark.parametrize("path", MANIFESTS, ids=ids)
def test_a_manifest_is_valid(path: Path) -> None:
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--dtdvalid", TOP / "test/data/service_bundle.dtd.1", path],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("type_name", [*TYPES, "group"])
def test_a_type_has_its_methods_with_every_parameter(type_name: str) -> None:
    name = "group" if type_name == "group" else f"resource-{type_name}"
    assert service(name).attrib["name"] == "system/sundog/" + name.replace("-", "/", 1)
    for method in ("start", "stop"):
        assert execs(name)[method].attrib["exec"] == method_line(type_name, method)
    keys = {"group", "resource", *(() if type_name == "group" else names(type_name))}
    group = next(one for one in service(name).findall("property_group") if one.attrib["name"] == "sundog")
    assert {one.attrib["name"]: one.attrib["value"] for one in group} == dict.fromkeys(keys, "")
    assert service(name).find("create_default_instance") is None


@pytest.mark.parametrize(("name", "duration"), [("coordinator", "child"), ("failfast", "child"), ("group", "transient"),
                                                ("resource-exec", "contract"), ("resource-zpool", "transient")])
def test_a_service_is_watched_as_its_processes_need(name: str, duration: str) -> None:
    group = next(one for one in service(name).findall("property_group") if one.attrib["name"] == "startd")
    assert [one.attrib["value"] for one in group] == [duration]


def test_nothing_of_ours_is_enabled_by_its_manifest() -> None:
    for path in MANIFESTS:
        assert "enabled='true'" not in path.read_text()


def test_the_stop_of_a_command_has_the_time_that_its_instances_say() -> None:
    assert execs("resource-exec")["stop"].attrib["timeout_seconds"] == str(STOP_S)


@pytest.mark.parametrize("path", WRAPPERS, ids=ids)
def test_a_wrapper_is_a_short_script_that_can_be_run(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0] == "#!/sbin/sh"
    assert len(lines) < 10
    assert path.stat().st_mode & 0o111


def test_every_method_of_a_manifest_is_delivered() -> None:
    delivered = {"/lib/svc/method/" + path.name for path in WRAPPERS}
    commands = {one.attrib["exec"].split()[0] for path in MANIFESTS for one in
                ElementTree.parse(path).iter("exec_method")} - {":kill"}
    assert METHOD in commands
    assert commands <= delivered


def test_the_package_lists_what_the_tree_holds() -> None:
    done = subprocess.run([sys.executable, TOP / "pkg/generate", "--check"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


def test_nobody_but_root_may_change_the_commands_that_run_as_root() -> None:
    for path in [*MANIFESTS, *(TOP / "pkg/rbac").iterdir()]:
        assert "value_authorization" not in path.read_text()
        assert "solaris.smf.value" not in path.read_text()
