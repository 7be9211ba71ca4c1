"""The section `protection`: its defaults, and every mistake with its place."""
import pytest

from sundog.config.diff import diff
from sundog.config.load import examine
from sundog.config.model import Probe, Protection, Watchdog

FILE = """\
cluster: shop
timing: {timeout: 3s}
nodes:
  n1: {addresses: [10.0.0.1]}
  n2: {addresses: [10.0.0.2]}
  n3: {addresses: [10.0.0.3]}
links:
  lan: {type: lan, network: 10.0.0.0/24}
"""
LANPLUS = "{watchdog: {type: ipmi, interface: lanplus, user: a, password_file: /p, addresses: {%s}}}"


def read(section=""):
    return examine(FILE + section, name="f", types={}, fetch=str)


def errors(section):
    return [str(problem) for problem in read(section).problems if problem.severity == "error"]


def test_what_is_left_out_has_the_defaults():
    assert read().cluster.protection == Protection()
    assert Protection().expiry == "reset" and Protection().shutdown_s == 300


def test_everything_can_be_said():
    made = read("""protection:
  expiry: panic
  watchdog: {type: ipmi, interface: lanplus, timeout: 30s, user: sundog, password_file: /etc/sundog/bmc, cipher: 3,
             interrupt: nmi, addresses: {n1: 10.9.0.1, n2: 10.9.0.2, n3: 10.9.0.3}}
  processes: {action: report, within: 10s}
  memory: {action: reset, within: 2m, reserve: 32M}
  root_disk: {action: ignore}
  shutdown: 10m
""").cluster.protection
    watchdog = Watchdog(30.0, "lanplus", "nmi", {"n1": "10.9.0.1", "n2": "10.9.0.2", "n3": "10.9.0.3"}, "sundog",
                        "/etc/sundog/bmc", 3)
    assert made == Protection("panic", watchdog, Probe("report", 10.0), Probe("reset", 120.0), 32 << 20,
                              Probe("ignore", 60.0), 600.0)


def test_the_watchdogs_time_is_several_timeouts():
    assert read("protection: {watchdog: {type: ipmi}}\n").cluster.protection.watchdog.timeout_s == 20
    assert read("protection: {watchdog: {type: none}}\n").cluster.protection.watchdog is None


@pytest.mark.parametrize(("section", "said"), [
    ("{expiry: halt}", "f:9:22: error: protection.expiry: 'halt' is not one of"),
    ("{expire: panic}", "f:9:14: error: unknown key 'expire' in protection; did you mean 'expiry'?"),
    ("{watchdog: {type: ilo}}", "f:9:31: error: protection.watchdog: unknown type 'ilo'"),
    ("{watchdog: {type: ipmi, interface: lanplus}}", "f:9:14: error: protection.watchdog has no 'addresses'"),
    ("{watchdog: {type: ipmi, user: root}}", "f:9:37: error: protection.watchdog.user is for interface lanplus only"),
    ("{watchdog: {type: ipmi, timeout: 2s}}", "it is out of bounds"),
    (LANPLUS % "n1: 10.9.0.1, n4: 10.9.0.2", "names node 'n4', which there is not"),
    (LANPLUS % "n1: 10.9.0.1, n2: 10.9.0.2", "has none for n3"),
    ("{watchdog: {type: ipmi, interface: lanplus, user: an-endless-long-name, password_file: /p}}", "longer than 16"),
    ("{processes: {action: reset, within: 1s}}", "it is out of bounds"),
    ("{processes: reset}", "is 'reset', not a mapping"),
    ("{memory: {reserve: 4K}}", "it is not between 1M and 1G"),
    ("{shutdown: 2h}", "it is out of bounds"), ("{shutdown: 5}", "it has no unit"),
])
def test_a_mistake_is_said_with_its_place(section, said):
    found = errors(f"protection: {section}\n")
    assert any(said in line for line in found), found


def test_a_watchdog_that_would_come_before_failfast_is_refused():
    text = FILE.replace("3s", "9s") + "protection: {watchdog: {type: ipmi, timeout: 8s}}\n"
    found = [str(one) for one in examine(text, name="f", types={}, fetch=str).problems]
    assert any("f:9:46: error: protection.watchdog.timeout 8s is not longer" in line for line in found), found


def test_it_changes_while_the_cluster_runs():
    assert diff(read().cluster, read("protection: {expiry: panic}\n").cluster).live == ("protection",)
