"""ZFS pools: what zpool prints, refuses and takes (zpool(8), zpoolprops(7), cmd/zpool)."""
import re
from typing import Callable, Iterator

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import Target

POOL = "conftank"


@pytest.fixture
def disk(host: Target) -> str:
    """A device that may be overwritten."""
    if host.spare_disk is None:
        pytest.skip("no disk here may be overwritten (set CONF_DISK to one)")
    return host.spare_disk


@pytest.fixture
def pool(host: Target, disk: str) -> Iterator[str]:
    host.do(f"zpool create -f -o cachefile=none {POOL} {disk}")
    yield POOL
    host.run(f"zpool import -f -d /dev/dsk {POOL}; zpool destroy -f {POOL}")


@pytest.fixture
def other(host: Target, hosts: Callable[[str], Target]) -> Target:
    """A second host that sees the same disks."""
    found = host.second()
    if found is None:
        pytest.skip("there is no second host here")
    return found


# ---- list


@illumos
@row("ZPOOL-LIST-01", "zpool(8), list")
def test_default_columns_of_illumos(host: Target, pool: str) -> None:
    assert host.do(f"zpool list {pool}").splitlines()[0].split() == [
        "NAME", "SIZE", "ALLOC", "FREE", "CKPOINT", "EXPANDSZ", "FRAG", "CAP", "DEDUP", "HEALTH", "ALTROOT"]


@solaris
@row("ZPOOL-LIST-02", "Solaris 11.4 zpool(8), list")
def test_default_columns_of_solaris(host: Target, pool: str) -> None:
    assert host.do(f"zpool list {pool}").splitlines()[0].split() == [
        "NAME", "SIZE", "ALLOC", "FREE", "CAP", "DEDUP", "HEALTH", "ALTROOT"]


@both
@row("ZPOOL-LIST-03", "zpool(8), -H -p -o")
def test_scripts_get_tabs_and_exact_numbers(host: Target, pool: str) -> None:
    assert host.do(f"zpool list -H -o name,health {pool}") == f"{pool}\tONLINE\n"
    name, health, guid = host.do(f"zpool list -Hpo name,health,guid {pool}").rstrip("\n").split("\t")
    assert (name, health) == (pool, "ONLINE") and guid.isdigit()
    size, free = host.do(f"zpool list -Hpo size,free {pool}").split()
    assert int(size) >= int(free) > 1 << 20


@both
@row("ZPOOL-LIST-04", "zpool_main.c, no such pool")
def test_a_pool_that_is_not_there_is_said(host: Target) -> None:
    assert host.run("zpool list confghost") == (1, "", "cannot open 'confghost': no such pool\n")


@both
@row("ZPOOL-LIST-05", "zpool_main.c, no pools")
def test_without_pools_that_is_said_and_is_no_error(lone_zfs: Target) -> None:
    assert lone_zfs.run("zpool list") == (0, "no pools available\n", "")
    assert lone_zfs.run("zpool status -x") == (0, "no pools available\n", "")


# ---- status, get


@both
@row("ZPOOL-STATUS-01", "zpool(8), status -x")
def test_a_healthy_pool_is_told_in_a_line(host: Target, pool: str) -> None:
    assert host.do(f"zpool status -x {pool}") == f"pool '{pool}' is healthy\n"
    assert host.do("zpool status -x") == "all pools are healthy\n"


@both
@row("ZPOOL-STATUS-02", "zpool(8), status")
def test_status_has_a_block_with_the_tree_of_devices(host: Target, pool: str, disk: str) -> None:
    out = host.do(f"zpool status {pool}")
    assert out.startswith(f"  pool: {pool}\n state: ONLINE\n") and "\n  scan: none requested\nconfig:\n" in out
    assert re.search(rf"^\t  {disk.rpartition('/')[2]} +ONLINE       0     0     0$", out, re.M)
    assert out.endswith("errors: No known data errors\n")


@row("ZPOOL-GET-01", "zpool(8), get -H -o")
def test_get_gives_properties_to_scripts(host: Target, pool: str) -> None:
    assert host.do(f"zpool get -H -o property,value health {pool}") == "health\tONLINE\n"
    assert host.do(f"zpool get health {pool}").splitlines()[0].split() == ["NAME", "PROPERTY", "VALUE", "SOURCE"]


@both
@row("ZPOOL-PROP-01", "zpool_main.c, invalid property")
def test_a_property_that_is_none_is_refused(host: Target, pool: str) -> None:
    assert "invalid property 'ghost'" in host.fails(f"zpool set ghost=1 {pool}")
    assert "invalid property 'ghost'" in host.fails(f"zpool get ghost {pool}", 2)


@solaris
@row("ZPOOL-MULTIHOST-01", "Solaris 11.4 zpool(8)")
def test_solaris_has_no_multihost(host: Target, pool: str) -> None:
    assert "invalid property 'multihost'" in host.fails(f"zpool set multihost=on {pool}")


@illumos
@row("ZPOOL-MULTIHOST-02", "zpoolprops(7), multihost")
def test_multihost_is_off_and_can_be_set(host: Target, pool: str) -> None:
    assert host.do(f"zpool get -H -o value multihost {pool}") == "off\n"
    host.do(f"zpool set multihost=on {pool}")
    assert host.do(f"zpool get -H -o value,source multihost {pool}") == "on\tlocal\n"
    assert "must be one of 'on | off'" in host.fails(f"zpool set multihost=maybe {pool}")
    host.do(f"zpool set multihost=off {pool}")


# ---- export and import


@both
@row("ZPOOL-EXPORT-01", "zpool(8), export")
def test_a_busy_pool_is_not_exported(host: Target, pool: str) -> None:
    assert f"cannot export '{pool}': pool is busy\n" in host.fails(f"cd /{pool} && zpool export {pool}")
    assert host.do(f"zpool list -Ho health {pool}") == "ONLINE\n"
    assert host.fails("zpool export confghost") == "cannot open 'confghost': no such pool\n"


@both
@row("ZPOOL-IMPORT-01", "zpool(8), import")
def test_an_exported_pool_is_listed_and_imported(host: Target, pool: str) -> None:
    host.do(f"zpool export {pool}")
    lines = host.do("zpool import").splitlines()
    blank = " " if host.platform == "illumos" else ""
    assert f"{blank}  pool: {pool}" in lines and f"{blank} state: ONLINE" in lines and f"{blank}config:" in lines
    host.do(f"zpool import -o cachefile=none {pool}")
    assert host.do(f"zpool get -H -o value cachefile {pool}") == "none\n"


@both
@row("ZPOOL-IMPORT-02", "zpool_main.c, import")
def test_a_pool_is_imported_once(host: Target, pool: str) -> None:
    assert host.fails(f"zpool import {pool}") == (
        f"cannot import '{pool}': a pool with that name is already created/imported,\n"
        "and no additional pools with that name were found\n")


@both
@row("ZPOOL-IMPORT-03", "zpool_main.c, import")
def test_a_pool_that_nobody_has_is_said(host: Target) -> None:
    assert host.fails("zpool import confghost") == "cannot import 'confghost': no such pool available\n"


@both
@row("ZPOOL-IMPORT-04", "zpool_main.c, -c with -d")
def test_c_and_d_do_not_go_together(host: Target) -> None:
    assert host.fails("zpool import -c /x -d /y", 2).startswith("-c is incompatible with -d\n")


@both
@row("ZPOOL-IMPORT-05", "zpool(8), import -R")
def test_an_alternate_root_is_no_business_of_the_cache_file(host: Target, pool: str) -> None:
    host.do(f"zpool export {pool}; zpool import -R /var/tmp/conf-root {pool}")
    assert host.do(f"zpool get -H -o value altroot {pool}; zpool get -H -o value cachefile {pool}") == (
        "/var/tmp/conf-root\nnone\n")


@both
@row("ZPOOL-IMPORT-06", "zpool(8), import -N")
def test_n_mounts_nothing(host: Target, pool: str) -> None:
    host.do(f"zpool export {pool}; zpool import -N -o cachefile=none {pool}")
    assert host.do(f"zpool list -Ho health {pool}") == "ONLINE\n"
    host.fails(f"mount | grep -w {pool}")


@both
@row("ZPOOL-IMPORT-07", "zpool(8), import -d")
def test_d_is_searched_instead_of_dev_dsk(host: Target, pool: str) -> None:
    host.do(f"zpool export {pool}; mkdir -p /var/tmp/conf-empty")
    assert host.fails(f"zpool import -d /var/tmp/conf-empty {pool}") == (
        f"cannot import '{pool}': no such pool available\n")
    host.do(f"zpool import -d /var/tmp/conf-empty -d /dev/dsk -o cachefile=none {pool}; rmdir /var/tmp/conf-empty")


@both
@row("ZPOOL-IMPORT-08", "zpool_main.c, nothing to import")
def test_nothing_to_import_is_said_and_is_no_error(host: Target) -> None:
    host.do("mkdir -p /var/tmp/conf-empty")
    assert host.run("zpool import -d /var/tmp/conf-empty; rmdir /var/tmp/conf-empty") == (
        0, "", "no pools available to import\n")


# ---- two hosts


@illumos
@row("ZPOOL-INUSE-01", "zpool_main.c, show_import; since 2019")
def test_a_pool_in_use_elsewhere_is_refused_in_three_lines_on_illumos(host: Target, pool: str, other: Target) -> None:
    said = other.fails(f"zpool import {pool}")
    assert re.fullmatch(
        rf"cannot import '{pool}': pool was previously in use from another system\.\nLast accessed by \S+ "
        r"\(hostid=[0-9a-f]+\) at .+\nThe pool can be imported, use 'zpool import -f' to import the pool\.\n", said)


@solaris
@row("ZPOOL-INUSE-02", "Solaris 11.4 zpool(8), import")
def test_a_pool_in_use_elsewhere_is_refused_in_two_lines_on_solaris(host: Target, pool: str, other: Target) -> None:
    said = other.fails(f"zpool import {pool}")
    assert re.fullmatch(rf"cannot import '{pool}': pool may be in use from other system, it was last accessed by \S+ "
                        r"\(hostid: 0x[0-9a-f]+\) on .+\nuse '-f' to import anyway\n", said)


@both
@row("ZPOOL-INUSE-03", "zpool_main.c, show_import, ZFS-8000-EY")
def test_the_listing_tells_that_another_system_had_it_last(host: Target, pool: str, other: Target) -> None:
    out = other.do("zpool import")
    assert "status: The pool was last accessed by another system.\n" in out
    assert re.search(r"^   see: http://[a-z.]+/msg/ZFS-8000-EY$", out, re.M)


@both
@row("ZPOOL-INUSE-04", "zpool(8), export and import")
def test_an_exported_pool_is_imported_anywhere(host: Target, pool: str, other: Target) -> None:
    host.do(f"zpool export {pool}")
    other.do(f"zpool import -o cachefile=none {pool}; zpool export {pool}")
    host.do(f"zpool import -o cachefile=none {pool}")


@illumos
@row("ZPOOL-INUSE-05", "spa.c, spa_activity_check; zpool_import(3LIB)")
def test_with_multihost_even_force_is_refused(host: Target, pool: str, other: Target) -> None:
    host.do(f"zpool set multihost=on {pool}")
    number, name = host.do("hostid").strip(), host.do("uname -n").strip()
    last = "Export the pool on the other system, then run 'zpool import'.\n"
    assert other.fails(f"zpool import {pool}") == (
        f"cannot import '{pool}': pool is imported on {name} (hostid: 0x{number})\n{last}")
    assert other.fails(f"zpool import -f {pool}") == (
        f"cannot import '{pool}': pool is imported on host '{name}' (hostid={number}).\n{last}")
    assert "status: The pool is currently imported by another system.\n" in other.do("zpool import")


@both
@row("ZFS-LIST-01", "zfs(8), list")
def test_zfs_lists_for_scripts_and_says_what_is_not_there(host: Target, pool: str) -> None:
    host.do(f"zfs create {pool}/a")
    assert host.do(f"zfs list -H -r -o name {pool}") == f"{pool}\n{pool}/a\n"
    assert host.fails(f"zfs list {pool}/ghost") == f"cannot open '{pool}/ghost': dataset does not exist\n"


@both
@row("ZFS-BUSY-01", "zfs(8), unmount; libzfs_mount.c")
def test_a_file_system_in_use_is_unmounted_only_by_force(host: Target, pool: str) -> None:
    busy = f"cannot unmount '/{pool}': Device busy\n"
    assert host.fails(f"cd /{pool} && zfs unmount {pool}") == busy
    assert host.do(f"zfs get -Ho value mounted {pool}") == "yes\n"
    host.do(f"cd /{pool} && zfs unmount -f {pool}")
    assert host.do(f"zfs get -Ho value mounted {pool}") == "no\n"
    assert host.fails(f"zfs unmount {pool}") == f"cannot unmount '{pool}': not currently mounted\n"


@both
@row("ZFS-MOUNT-01", "zfs(8), mount")
def test_what_is_mounted_is_not_mounted_again(host: Target, pool: str) -> None:
    assert host.fails(f"zfs mount {pool}") == f"cannot mount '{pool}': filesystem already mounted\n"
    assert host.fails(f"zfs mount {pool}/ghost") == f"cannot open '{pool}/ghost': dataset does not exist\n"


@both
@row("ZPOOL-DEVICE-01", "zpool(8), Virtual Devices: shorthand names")
def test_a_disk_may_be_named_without_its_folder(host: Target, pool: str, disk: str) -> None:
    short = disk.rpartition("/")[2]
    assert f"'{pool}'" in host.fails(f"zpool create conftwo {short}")      # it is in use: so it has been found
    host.do(f"zpool destroy {pool}; zpool create -f -o cachefile=none {pool} {short}")
    assert host.fails(f"zpool offline {pool} {short}") == \
        f"cannot offline {short}: no valid replicas\n"
    assert host.fails("zpool create confghost c9t9d9s9") == (
        "cannot open 'c9t9d9s9': no such device in /dev/dsk\nmust be a full path or shorthand device name\n")


@both
@row("ZPOOL-CREATE-01", "zpool(8), create")
def test_a_name_that_is_taken_is_not_taken_again(host: Target, pool: str, disk: str) -> None:
    assert host.fails(f"zpool create -f {pool} {disk}") == (
        "invalid vdev specification\nthe following errors must be manually repaired:\n"
        f"{disk} is part of active pool '{pool}'\n")
    assert host.do(f"zpool list -Ho health {pool}") == "ONLINE\n"
