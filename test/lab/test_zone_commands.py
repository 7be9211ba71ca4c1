"""Zone commands on an illumos and on a Solaris host: states, networks, terminals, brands, and what a boot starts."""
import os
import pty
import re
import select
import signal
import subprocess
import time
from typing import Iterator, List

import pytest

from lab.shared_pool import CONFIGURE, SERVICE, Hosts, build
from lab.test_lab_down import traces
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-zones")]


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    plan = {
        "lab": f"zc{os.getpid() % 100000}",
        "networks": {"public": {"subnet": "10.78.0.0/24"}},
        "disks": {"c0t1d0s0": {"size": "96M"}, "c0t2d0s0": {"size": "96M"}},
        "nodes": {"n1": {"addresses": {"public": "10.78.0.1/24"}},
                  "n2": {"addresses": {"public": "10.78.0.2/24"}, "platform": "solaris11.4"}},
        "clients": {"client": {"addresses": {"public": "10.78.0.200/24"}}},
    }
    with Lab.up(plan) as lab:
        found = Hosts(lab)
        for node, disk in (("n1", "c0t1d0s0"), ("n2", "c0t2d0s0")):
            lab.wait_booted(node)
            found.sh(node, f"zpool create tank /dev/dsk/{disk}")        # in the cache file: there after a boot
        found.sh("n1", "zonecfg -z web 'create -b; set zonepath=/tank/web'")
        found.sh("n1", "zoneadm -z web install")
        lab.exec("n1", ["tee", "/tank/web/root/var/svc/manifest/site/page.xml"], input=SERVICE)
        yield found


@pytest.fixture(autouse=True)
def halted(hosts: Hosts) -> Iterator[None]:
    yield
    if state(hosts, "web") not in ("installed", "incomplete"):
        hosts.sh("n1", "zoneadm -z web halt")


def state(hosts: Hosts, zone: str, node: str = "n1") -> str:
    return hosts.sh(node, f"zoneadm -z {zone} list -p").split(":")[2]


def answers(hosts: Hosts, where: str, address: str) -> bool:
    return hosts.lab.exec(where, ["ping", "-q", "-c", "1", "-w", "1", address], check=False).returncode == 0


class Terminal:
    """A command in a node with a terminal of its own."""

    def __init__(self, lab: Lab, *argv: str) -> None:
        self.master, slave = pty.openpty()
        self.command = lab.popen("n1", argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.said = ""

    def until(self, pattern: str) -> str:
        """Read on until it has said this; what it said since the last time."""
        deadline = time.monotonic() + 20
        while not re.search(pattern, self.said):
            assert time.monotonic() < deadline, f"waited in vain for {pattern}: {self.said!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.said += os.read(self.master, 4096).decode()
                except OSError:
                    assert re.search(pattern, self.said), self.said
        said, self.said = self.said, ""
        return said

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        try:
            return self.command.wait(10)
        finally:
            self.command.kill()
            self.command.wait()
            os.close(self.master)


# --- states

def test_a_zone_that_is_ready_has_an_id_and_no_process(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web ready")
    assert state(hosts, "web") == "ready"
    assert hosts.lab.exec("n1", ["zoneadm", "-z", "web", "ready"]).stderr == "zone 'web': zone is already ready\n"
    assert hosts.fails("n1", "zoneadm -z web reboot") == (
        "zone 'web': reboot operation is invalid for zones in state 'ready'")
    assert hosts.fails("n1", "zlogin web true") == "zlogin: login allowed only to running zones (web is 'ready')."
    assert hosts.fails("n1", "zoneadm -z web detach") == (
        "zoneadm: zone 'web': detach operation is invalid for ready zones.")
    number = hosts.sh("n1", "zoneadm -z web list -p").split(":")[0]
    hosts.sh("n1", "zoneadm -z web boot")
    assert hosts.sh("n1", "zoneadm list -p").splitlines()[1].split(":")[:3] == [number, "web", "running"]


def test_a_zone_whose_daemon_does_not_tidy_up_is_down(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web boot")
    _, init, daemon, _ = hosts.sh("n1", "cat /var/run/zones/web").split()
    hosts.sh("n1", f"kill -STOP {daemon}; kill -9 {init}")
    hosts.until(lambda: state(hosts, "web") == "down", "the zone's end")
    assert hosts.fails("n1", "zoneadm -z web uninstall -F") == (
        "zoneadm: zone 'web': uninstall operation is invalid for down zones.")
    hosts.sh("n1", f"kill -CONT {daemon}")
    hosts.until(lambda: state(hosts, "web") == "installed", "its daemon")


def test_a_zone_with_a_process_that_is_not_gone_stays_shutting_down(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web boot")
    inside = hosts.lab.popen("n1", ["zlogin", "-S", "web", "echo there; sleep 1000"], stdout=subprocess.PIPE)
    assert inside.stdout is not None
    assert inside.stdout.readline() == b"there\n"
    parent = hosts.sh("n1", "pgrep -f '^/usr/bin/python3 -IS /usr/sbin/zlogin -S web'")
    hosts.sh("n1", f"kill -STOP {parent}")         # it does not collect its child, dead or not
    halt = hosts.lab.popen("n1", ["zoneadm", "-z", "web", "halt"])
    try:
        hosts.until(lambda: state(hosts, "web") == "shutting_down", "the beginning of the end")
        assert hosts.fails("n1", "zoneadm -z web detach") == (
            "zoneadm: zone 'web': detach operation is invalid for shutting_down zones.")
        assert halt.poll() is None
    finally:
        hosts.sh("n1", f"kill -CONT {parent}")
        inside.send_signal(signal.SIGCONT)      # nsenter(1) stops with what it has started
        inside.wait(20)
        inside.stdout.close()
    assert halt.wait(20) == 0
    assert state(hosts, "web") == "installed"


def test_an_incomplete_zone_can_only_be_uninstalled_or_updated_by_attach(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web mark incomplete")
    assert hosts.fails("n1", "zoneadm -z web boot") == "zoneadm: zone 'web': must be installed before boot."
    for verb in ("install", "attach", "verify"):
        assert hosts.fails("n1", f"zoneadm -z web {verb}") == (
            "zoneadm: zone 'web': zone is incomplete; uninstall required.")
    hosts.sh("n1", "zoneadm -z web attach -U")
    assert state(hosts, "web") == "installed"


def test_a_zone_is_found_by_its_uuid(hosts: Hosts) -> None:
    uuid = hosts.sh("n1", "zoneadm list -ip").splitlines()[1].split(":")[4]
    assert hosts.sh("n1", f"zoneadm -u {uuid} list") == "web"
    assert hosts.fails("n1", "zoneadm -u x list") == "zoneadm: illegal UUID value specified"


def test_misuse_is_exit_status_2(hosts: Hosts) -> None:
    for line in ("zoneadm", "zoneadm -z web frob", "zoneadm -z web mark configured", "zoneadm list -x", "zlogin",
                 "zlogin -C -S web", "zoneadm -z web halt now"):
        assert hosts.lab.exec("n1", ["sh", "-c", line], check=False).returncode == 2, line


# --- attach and detach

def test_a_zone_whose_packages_lag_behind_is_attached_with_an_update(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web detach && echo older > /tank/web/root/etc/release")
    said = hosts.fails("n1", "zoneadm -z web attach")
    assert "Packages in zone web are out of sync with the global zone. To proceed, retry with the -u flag." in said
    hosts.sh("n1", "zoneadm -z web attach -u")
    assert hosts.sh("n1", "cat /tank/web/root/etc/release") == hosts.sh("n1", "uname -v")


def test_a_zone_is_not_detached_while_something_is_mounted_below_it(hosts: Hosts) -> None:
    hosts.sh("n1", "mkdir -p /tank/web/more && mount -F tmpfs swap /tank/web/more")
    assert hosts.fails("n1", "zoneadm -z web detach").startswith(
        "These file systems are mounted on subdirectories of /tank/web.\nzoneadm: zone 'web':   /tank/web/more")
    hosts.sh("n1", "umount /tank/web/more && rmdir /tank/web/more")
    assert state(hosts, "web") == "installed"


def test_detach_n_says_what_attach_n_can_check(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web detach -n > /tmp/web.xml && zoneadm -z web attach -n /tmp/web.xml")
    assert state(hosts, "web") == "installed"
    assert hosts.fails("n1", "zoneadm -z web attach -n /etc/passwd").endswith("/etc/passwd is not an XML file")
    both = hosts.fails("n1", "zoneadm -z web attach -F -n /tmp/web.xml")
    assert both == "zoneadm: zone 'web': -F and -n flags are mutually exclusive"


def test_a_zone_is_cloned_moved_and_uninstalled(hosts: Hosts) -> None:
    hosts.sh("n1", "zonecfg -z two 'create -t web; set zonepath=/tank/two'")
    assert "Instead of copying, a ZFS clone has been created" in hosts.sh("n1", "zoneadm -z two clone web")
    hosts.sh("n1", "zoneadm -z two move /tank/three")
    assert hosts.sh("n1", "zoneadm -z two list -p").split(":")[2:4] == ["installed", "/tank/three"]
    assert hosts.fails("n1", "zoneadm -z two uninstall") == (
        "zoneadm: zone 'two': Input not from terminal and -F not specified: uninstall not done.")
    hosts.sh("n1", "zoneadm -z two boot && zoneadm -z two halt")
    hosts.sh("n1", "zoneadm -z two uninstall -F && zonecfg -z two delete -F")
    assert "two" not in hosts.sh("n1", "zoneadm list -c")


# --- zlogin

def test_the_status_of_a_command_is_zlogins_own(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web boot")
    assert hosts.lab.exec("n1", ["zlogin", "web", "exit 7"], check=False).returncode == 7
    assert hosts.sh("n1", "zlogin -l nobody web 'id -un' 2>&1 || true").count("not available") or hosts.sh(
        "n1", "zlogin -l nobody web 'id -un'") == "nobody"
    assert hosts.sh("n1", "zlogin -S web 'id -un; echo $HOME'").split() == ["root", "/"]
    assert hosts.sh("n1", "echo given | zlogin web cat") == "given"
    assert hosts.sh("n1", "echo given | zlogin -n web cat") == ""
    assert hosts.sh("n1", "zlogin web 'zoneadm list -p'").split(":")[1:3] == ["web", "running"]
    assert hosts.fails("n1", "zlogin web 'zoneadm -z web halt'") == (
        "zoneadm: zone 'web': use halt(8) to halt this zone.")


def test_a_session_at_a_terminal_is_left_by_a_tilde_and_a_full_stop(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web boot")
    user = Terminal(hosts.lab, "zlogin", "web")
    user.until(r"\[Connected to zone 'web' pts/\d+\][\s\S]*# ")
    user.type("tty; echo at $(zonename)\n")
    assert "/dev/pts/" in user.until(r"at web\r\n[\s\S]*# ")
    user.type("~.")
    user.until(r"~\.\r\n\[Connection to zone 'web' pts/\d+ closed\]")
    assert user.end() == 0


def test_the_console_of_a_zone_asks_for_a_login_and_shows_what_zoneadmd_does(hosts: Hosts) -> None:
    user = Terminal(hosts.lab, "zlogin", "-C", "web")
    user.until(r"\[Connected to zone 'web' console\]")
    hosts.sh("n1", "zoneadm -z web boot")
    user.until(r"\[NOTICE: Zone booting up\][\s\S]*web console login: ")
    second = Terminal(hosts.lab, "zlogin", "-C", "web")
    second.until(r"zlogin: Console is already in use by process ID \d+\.")
    assert second.end() == 1
    user.type("root\r")
    user.until("# ")
    user.type("echo at $(tty)\r")
    user.until(r"at /dev/console\r\n[\s\S]*# ")
    user.type("exit\r")
    user.until("web console login: ")
    hosts.sh("n1", "zoneadm -z web halt")
    user.until(r"\[NOTICE: Zone halted\]")
    user.type("~.")
    user.until(r"\[Connection to zone 'web' console closed\]")
    assert user.end() == 0


def test_zonecfg_talks_with_whoever_is_at_a_terminal(hosts: Hosts) -> None:
    user = Terminal(hosts.lab, "zonecfg", "-z", "talk")
    user.until("talk: No such zone configured\r\nUse 'create' to begin configuring a new zone.\r\nzonecfg:talk> ")
    for line, answer in (("create", "zonecfg:talk> "), ("add fs", "zonecfg:talk:fs> "), ("cancel", "zonecfg:talk> "),
                         ("set zonepath=/tank/talk", "zonecfg:talk> "), ("verify; commit", "zonecfg:talk> "),
                         ("delete", r"Are you sure you want to delete zone talk \(y/\[n\]\)\? "),
                         ("y", "zonecfg:talk> ")):
        user.type(line + "\n")
        user.until(answer)
    user.type("exit\n")
    assert user.end() == 0
    assert "talk" not in hosts.sh("n1", "zoneadm list -c")


# --- networks and brands

def test_an_exclusive_zone_has_the_vnic_that_it_was_given_until_it_ends(hosts: Hosts) -> None:
    hosts.sh("n1", "dladm create-vnic -t -l net0 vnic1")
    hosts.sh("n1", "zonecfg -z web 'set ip-type=exclusive; add net; set physical=vnic1; "
                   "set allowed-address=10.78.0.50/24; end'")
    try:
        for _ in range(2):
            hosts.sh("n1", "zoneadm -z web boot")
            assert "vnic1" not in hosts.sh("n1", "dladm show-link -p -o link")
            assert "vnic1" in hosts.sh("n1", "zlogin web 'dladm show-link -p -o link'")
            assert "10.78.0.50/24" in hosts.sh("n1", "zlogin web 'ipadm show-addr -p -o addr'")
            assert hosts.sh("n1", "zoneadm list -p").splitlines()[1].endswith(":excl")
            hosts.until(lambda: answers(hosts, "client", "10.78.0.50"), "the zone's address")
            hosts.sh("n1", "zlogin web 'ipadm create-addr -t -T static -a 10.78.0.51/24 vnic1/more'")
            hosts.until(lambda: answers(hosts, "client", "10.78.0.51"), "the zone's own address")
            hosts.sh("n1", "zoneadm -z web halt")
            assert "vnic1" in hosts.sh("n1", "dladm show-link -p -o link")
    finally:
        hosts.sh("n1", "zonecfg -z web 'remove net; set ip-type=shared'")


def test_a_solaris_zone_gets_an_automatic_interface_with_an_address_that_it_keeps(hosts: Hosts) -> None:
    hosts.sh("n2", "zonecfg -z auto 'create; set zonepath=/tank/auto; select anet; "
                   "set allowed-address=10.78.0.60/24; end'")
    hosts.sh("n2", "zoneadm -z auto install && zoneadm -z auto boot")
    hosts.until(lambda: answers(hosts, "client", "10.78.0.60"), "the zone's address")
    before = hosts.sh("n2", "zlogin auto 'cat /sys/class/net/net0/address 2>/dev/null; ip link show net0'")
    assert "net0/v4" in hosts.sh("n2", "zlogin auto 'ipadm show-addr -p -o addrobj'")
    hosts.sh("n2", "zoneadm -z auto reboot")
    after = hosts.sh("n2", "zlogin auto 'cat /sys/class/net/net0/address 2>/dev/null; ip link show net0'")
    assert mac(before) == mac(after) != ""
    hosts.sh("n2", "zoneadm -z auto halt")
    assert not answers(hosts, "client", "10.78.0.60")
    assert hosts.sh("n2", "dladm show-link -p -o link") == "net0"


def mac(text: str) -> str:
    found: List[str] = re.findall(r"02:08:20:[0-9a-f:]{8}", text)
    return found[0] if found else ""


def test_a_zones_host_id_is_its_own_or_that_of_the_host_where_it_runs(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web boot")
    assert hosts.sh("n1", "zlogin web hostid") == hosts.sh("n1", "hostid")
    hosts.sh("n1", "zonecfg -z web set hostid=1845715f && zoneadm -z web reboot")
    assert hosts.sh("n1", "zlogin web hostid") == "1845715f"
    hosts.sh("n1", "zonecfg -z web clear hostid")


@pytest.mark.parametrize("brand, process", [("lx", "init"), ("bhyve", "bhyve")])
def test_a_guest_has_the_life_of_a_zone_with_a_process_in_place_of_the_guest(
        hosts: Hosts, brand: str, process: str) -> None:
    hosts.sh("n1", f"zonecfg -z guest 'create -b; set brand={brand}; set zonepath=/tank/guest'")
    hosts.sh("n1", "zoneadm -z guest install && zoneadm -z guest boot")
    assert hosts.sh("n1", "zlogin -S guest 'ps -p 1 -o args='").startswith(process)
    hosts.sh("n1", "zoneadm -z guest shutdown")
    assert state(hosts, "guest") == "installed"
    hosts.sh("n1", "zoneadm -z guest uninstall -F && zonecfg -z guest delete -F")


def test_the_configuration_that_one_host_exports_makes_the_zone_on_another(hosts: Hosts) -> None:
    hosts.sh("n1", "zonecfg -z copy 'create -b; set zonepath=/tank/copy; set brand=sparse; add attr; set name=owner; "
                   "set type=string; set value=\"the shop; ours\"; end'")
    text = hosts.sh("n1", "zonecfg -z copy export")
    hosts.lab.exec("n1", ["zonecfg", "-z", "copy2", "-f", "-"], input=text + "\n")
    assert hosts.sh("n1", "zonecfg -z copy2 export") == text
    hosts.sh("n1", "zonecfg -z copy delete -F; zonecfg -z copy2 delete -F")


# --- what a boot of the host starts

def test_the_zones_service_boots_zones_with_autoboot_and_shuts_all_down(hosts: Hosts) -> None:
    hosts.sh("n1", "zonecfg -z web set autoboot=true && rm -f /tank/web/root/root/stopped && svcadm enable zones")
    hosts.until(lambda: zones_service(hosts) == "online", "the service")
    assert state(hosts, "web") == "running"
    hosts.until(lambda: page(hosts) == "online", "the zone's service")
    hosts.sh("n1", "svcadm disable zones")
    hosts.until(lambda: zones_service(hosts) == "disabled", "its end")
    assert state(hosts, "web") == "installed"
    assert hosts.sh("n1", "ls /tank/web/root/root").count("stopped")
    hosts.sh("n1", "svcadm enable zones")
    hosts.until(lambda: zones_service(hosts) == "online", "the service")
    hosts.lab.kill("n1")
    hosts.lab.boot("n1")
    hosts.until(lambda: zones_service(hosts) == "online", "the service after a boot")
    assert state(hosts, "web") == "running"
    hosts.sh("n1", "svcadm disable zones; zonecfg -z web set autoboot=false")
    hosts.until(lambda: zones_service(hosts) == "disabled", "its end")


def zones_service(hosts: Hosts) -> str:
    return hosts.lab.exec("n1", ["svcs", "-Ho", "state,nstate", "zones"], check=False).stdout.strip().removesuffix(
        "-").rstrip()


def page(hosts: Hosts) -> str:
    return hosts.lab.exec("n1", ["svcs", "-z", "web", "-Ho", "state", "site/page"], check=False).stdout.strip()


def test_a_zone_of_solaris_has_an_instance_that_is_enabled_while_it_is_booted(hosts: Hosts) -> None:
    hosts.sh("n2", "zonecfg -z one 'create -b; set zonepath=/tank/one' && zoneadm -z one install")
    instance = "svc:/system/zones/zone:one"

    def service() -> str:
        return hosts.sh("n2", f"svcs -Ho state,nstate {instance}").replace("-", "").strip()
    assert service() == "disabled"
    hosts.sh("n2", "zoneadm -z one boot")
    hosts.until(lambda: service() == "online", "the zone's instance")
    hosts.sh("n2", "zoneadm -z one halt")
    assert (service(), state(hosts, "one", "n2")) == ("disabled", "installed")
    hosts.sh("n2", f"zoneadm -z one boot && zoneadm -z one halt && svcadm enable {instance}")
    hosts.until(lambda: service() == "online", "the zone, booted by its instance")
    assert state(hosts, "one", "n2") == "running"
    hosts.lab.exec("n2", ["zlogin", "one", "halt"], check=False)
    hosts.until(lambda: service() == "disabled", "the instance of a zone that ended by itself")
    hosts.sh("n2", f"svcadm enable {instance}")
    hosts.until(lambda: service() == "online", "the zone's instance")
    hosts.sh("n2", f"svcadm disable {instance}")
    hosts.until(lambda: service() == "disabled", "its end")
    assert state(hosts, "one", "n2") == "installed"
    hosts.sh("n2", "zoneadm -z one uninstall -F && zonecfg -z one delete -F")
    assert hosts.lab.exec("n2", ["svcs", "-H", instance], check=False).returncode == 1


def test_services_of_a_zone_are_ruled_from_outside(hosts: Hosts) -> None:
    hosts.sh("n1", "zoneadm -z web boot")
    hosts.until(lambda: page(hosts) == "online", "the zone's service")
    hosts.sh("n1", "svcadm -z web disable site/page")
    hosts.until(lambda: page(hosts) == "disabled", "its end")
    hosts.sh("n1", "svcadm -z web enable site/page")
    hosts.until(lambda: page(hosts) == "online", "its start")


def test_down_leaves_nothing_of_hosts_that_were_frozen_or_cut_with_their_zones_running(
        tmp_path_factory: pytest.TempPathFactory) -> None:
    lab = build(tmp_path_factory.mktemp("down"), "zd")
    try:
        for node in ("n1", "n2"):
            lab.exec(node, ["sh", "-c", "mkdir -p /zones && dladm create-vnic -t -l net0 vnic1"])
            lab.exec(node, ["zonecfg", "-z", "own", "create -b; set zonepath=/zones/own; set ip-type=exclusive; "
                                                    "add net; set physical=vnic1; end"])
            lab.exec(node, ["zonecfg", "-z", "shared", f"{CONFIGURE.replace('/shop/web1', '/zones/shared')}"])
            for zone in ("own", "shared") if node == "n1" else ("own",):
                lab.exec(node, ["sh", "-c", f"zoneadm -z {zone} install && zoneadm -z {zone} boot"])
        lab.freeze("n1")
        lab.kill("n2")
    finally:
        lab.down()
    assert traces(lab.spec.lab) == []
