"""Real ZFS on disks that two lab hosts share: what zpool import refuses, what -f does, what a power cut leaves."""
from typing import Iterator

import pytest

from lab.two_hosts import build, ensure_on, write_fsynced
from sunlab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("lab-disks")]
DISKS = ("/dev/dsk/c0t1d0s0", "/dev/dsk/c0t2d0s0")


@pytest.fixture(scope="module")
def hosts() -> Iterator[Lab]:
    with build("dk") as lab:
        yield lab


@pytest.fixture
def lab(hosts: Lab) -> Iterator[Lab]:
    """Both hosts on, and a fresh mirrored pool `tank` imported on n1."""
    ensure_on(hosts)
    hosts.exec("n1", ["zpool", "create", "-f", "-o", "cachefile=none", "tank", "mirror", *DISKS])
    yield hosts
    for node in hosts.init_pids():
        hosts.exec(node, ["zpool", "destroy", "-f", "tank"], check=False)


def test_a_pool_in_use_elsewhere_is_refused_with_the_words_of_zfs(lab: Lab) -> None:
    done = lab.exec("n2", ["zpool", "import", "tank"], check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("cannot import 'tank': pool was previously in use from another system.\n"
                                  "Last accessed by n1 (hostid=18450001) at ")
    assert done.stderr.endswith("The pool can be imported, use 'zpool import -f' to import the pool.\n")


def test_a_pool_of_a_dead_host_is_refused_without_force_and_taken_with_it(lab: Lab) -> None:
    write_fsynced(lab, "n1", "/tank/first", "begun")
    write_fsynced(lab, "n1", "/tank/order", "paid")
    lab.kill("n1")
    refused = lab.exec("n2", ["zpool", "import", "-o", "cachefile=none", "tank"], check=False)
    assert (refused.returncode, "use 'zpool import -f'" in refused.stderr) == (1, True)
    lab.exec("n2", ["zpool", "import", "-f", "-o", "cachefile=none", "tank"])
    assert lab.exec("n2", ["cat", "/tank/order"]).stdout == "paid"


def test_an_exported_pool_is_imported_elsewhere_without_force(lab: Lab) -> None:
    lab.exec("n1", ["zpool", "export", "tank"])
    lab.exec("n2", ["zpool", "import", "-o", "cachefile=none", "tank"])
    assert lab.exec("n2", ["zpool", "list", "-H", "-o", "name,health"]).stdout == "tank\tONLINE\n"
    assert lab.exec("n1", ["zpool", "list", "-H", "-o", "name"]).stdout.strip() in ("", "no pools available")


def test_import_lists_what_is_on_the_shared_disks(lab: Lab) -> None:
    lab.exec("n1", ["zpool", "export", "tank"])
    listed = lab.exec("n2", ["zpool", "import"]).stdout
    assert "pool: tank" in listed
    assert all(disk.rpartition("/")[2] in listed for disk in DISKS)


def test_a_pool_kept_out_of_the_cache_file_is_not_imported_at_boot(lab: Lab) -> None:
    lab.kill("n1")
    lab.boot("n1")
    lab.wait_booted("n1")
    assert "tank" not in lab.exec("n1", ["zpool", "list", "-H"]).stdout


def test_a_pool_in_the_cache_file_is_imported_and_mounted_at_boot(lab: Lab) -> None:
    lab.exec("n1", ["zpool", "set", "cachefile=", "tank"])
    write_fsynced(lab, "n1", "/tank/order", "paid")
    lab.kill("n1")
    lab.boot("n1")
    lab.wait_booted("n1")
    assert lab.exec("n1", ["cat", "/tank/order"]).stdout == "paid"


def test_a_busy_pool_is_not_exported(lab: Lab) -> None:
    with lab.popen("n1", ["sh", "-c", "cd /tank && echo there && exec sleep 1000"], stdout=-1) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == b"there\n"
        done = lab.exec("n1", ["zpool", "export", "tank"], check=False)
        user.kill()
    assert (done.returncode, "busy" in done.stderr) == (1, True)


def test_a_raw_disk_written_by_one_host_is_read_by_the_other(lab: Lab) -> None:
    lab.exec("n1", ["dd", "of=/dev/rdsk/c0t5d0s6", "bs=512", "conv=notrunc"], input="x" * 512)
    assert lab.exec("n2", ["dd", "if=/dev/rdsk/c0t5d0s6", "bs=512", "count=1"]).stdout == "x" * 512


def test_the_pool_of_a_frozen_host_can_be_taken_by_force_at_once(lab: Lab) -> None:
    """As a paused machine's can; nothing in this ZFS hinders its owner from writing on when it wakes."""
    lab.exec("n1", ["sh", "-c", "yes | head -c 1000000 >/tank/unsynced"])
    lab.freeze("n1")
    lab.exec("n2", ["zpool", "import", "-f", "-o", "cachefile=none", "tank"], timeout=10)
    lab.kill("n1")
