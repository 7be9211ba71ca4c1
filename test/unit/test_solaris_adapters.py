"""What the host's commands print is read, in the words of illumos, of Solaris 11.4 and of zfs-fuse."""
from typing import Type

import pytest

from sundog.errors import SundogError
from sundog.solaris import ipadm, smf, zones, zpool
from sundog.solaris.columns import fields
from sundog.solaris.run import CommandFailed
from unit.scripted import Answer, Script

A, B = "svc:/system/sundog/group:a", "svc:/system/sundog/group:b"


def test_backslashes_keep_separators_inside_a_field() -> None:
    assert fields(r"net0/v6:static:ok:fd00\:\:1/64") == ["net0/v6", "static", "ok", "fd00::1/64"]
    assert fields(r"a\\b::") == [r"a\b", "", ""]


def test_states_tell_a_running_method_from_rest() -> None:
    run = Script({"svcs": (0, f"online         -             {A}\noffline*       online        {B}\n", "")})
    seen = smf.states(run, "svc:/system/sundog/group:*")
    assert seen == {A: smf.Seen("online", "-"), B: smf.Seen("offline", "online")}
    assert [one.moving for one in seen.values()] == [False, True]


def test_a_pattern_without_instances_is_no_error_and_other_errors_are() -> None:
    missing = "svcs: Pattern 'svc:/system/sundog/group:*' doesn't match any instances\n"
    assert smf.states(Script({"svcs": (1, "", missing)}), "x") == {}
    with pytest.raises(CommandFailed):
        smf.states(Script({"svcs": (1, "", missing + "svcs: Could not bind to repository server\n")}), "x")


def test_nothing_is_enabled_for_ever() -> None:
    run = Script({"svcadm": (0, "", "")})
    smf.enable(run, [A, B])
    smf.disable(run, [A])
    smf.disable(run, [A], lasting=True)
    smf.enable(run, [])
    assert run.asked == [f"svcadm enable -t {A} {B}", f"svcadm disable -t {A}", f"svcadm disable {A}"]


NOT_SET = (1, "", f"svcprop: Couldn't find property 'general_ovr/enabled' for instance '{A}'.\n")


@pytest.mark.parametrize(("for_now", "for_ever", "wanted"), [
    (NOT_SET, (0, "true\n", ""), True), (NOT_SET, (0, "false\n", ""), False),
    ((0, "true\n", ""), (0, "false\n", ""), True), ((0, "false\n", ""), (0, "true\n", ""), False),
    ((1, "", f"svcprop: Pattern '{A}' doesn't match any entities\n"), NOT_SET, False)])
def test_what_is_enabled_for_now_goes_before_what_is_for_ever(for_now: Answer, for_ever: Answer, wanted: bool) -> None:
    run = Script({"svcprop -c -p general_ovr/enabled": for_now, "svcprop -c -p general/enabled": for_ever})
    assert smf.enabled(run, A) is wanted


def test_a_repository_that_does_not_answer_says_nothing_of_what_is_enabled() -> None:
    with pytest.raises(CommandFailed):
        smf.enabled(Script({"svcprop": (1, "", "svcprop: Could not bind to repository server\n")}), A)


@pytest.mark.parametrize(("said", "error"), [
    ("cannot import 'tank': pool was previously in use from another system.\n"
     "Last accessed by n1 (hostid=1845715f) at Mon Nov 23 11:54:42 2026\n"
     "The pool can be imported, use 'zpool import -f' to import the pool.\n", zpool.PoolInUse),
    ("cannot import 'tank': pool may be in use from other system, it was last accessed by n1 (hostid: 0x1845715f) on "
     "Mon Nov 23 11:54:42 2026\nuse '-f' to import anyway\n", zpool.PoolInUse),
    ("cannot import 'tank': pool is imported on n1 (hostid: 0x1845715f)\n"
     "Export the pool on the other system, then run 'zpool import'.\n", zpool.PoolInUse),
    ("cannot import 'tank': no such pool available\n", zpool.PoolNotFound),
    ("cannot import 'tank': one or more devices is currently unavailable\n", CommandFailed),
])
def test_a_refused_import_is_told_in_words(said: str, error: Type[SundogError]) -> None:
    with pytest.raises(error) as told:
        zpool.import_pool(Script({"zpool import": (1, "", said)}), "tank", force=False, timeout_s=1)
    assert told.value.remedy


def test_a_pool_that_is_imported_already_is_success() -> None:
    said = ("cannot import 'tank': a pool with that name is already created/imported,\n"
            "and no additional pools with that name were found\n")
    zpool.import_pool(Script({"zpool import": (1, "", said)}), "tank", force=False, timeout_s=1)


@pytest.mark.parametrize("text", [
    "   pool: tank\n     id: 123\n  state: ONLINE\n status: The pool was last accessed by another system.\n action: x\n"
    "   see: http://illumos.org/msg/ZFS-8000-EY\n config:\n\n\ttank ONLINE\n\n   pool: two\n     id: 4\n"
    "  state: UNAVAIL\n",
    "  pool: tank\n    id: 123\n state: ONLINE\nstatus: The pool was last accessed by another system.\naction: x\n"
    "config:\n\n\ttank ONLINE\n\n  pool: two\n    id: 4\n state: UNAVAIL\n"])
def test_the_listing_of_importable_pools_is_read_at_any_indentation(text: str) -> None:
    assert zpool.listing(text) == {
        "tank": zpool.Importable("ONLINE", "The pool was last accessed by another system."),
        "two": zpool.Importable("UNAVAIL", "")}


def test_the_disks_of_an_importable_pool_are_read() -> None:
    text = ("  pool: tank\n    id: 123\n state: ONLINE\nconfig:\n\n\ttank                       ONLINE\n"
            "\t  mirror-0                 ONLINE\n\t    c0t600144F0A1d0        ONLINE\n"
            "\t    /dev/dsk/c1t2d0s0      UNAVAIL  cannot open\n\t    123456789              OFFLINE\n"
            "\tlogs\n\t  c3d1                     ONLINE\n")
    assert zpool.listing(text)["tank"].disks == ("c0t600144F0A1d0", "c1t2d0s0", "c3d1")


def test_zones_are_read_with_as_many_fields_as_a_host_prints() -> None:
    run = Script({"zoneadm": (0, "0:global:running:/::solaris:shared:-:none:\n"
                                 "-:web1:configured:/shop\\:web/web1:UUID:solaris:excl:R:solaris:\n"
                                 "3:web2:running:/z/web2::sparse:shared\n", "")})
    assert zones.zones(run) == {"web1": zones.Zone("configured", "/shop:web/web1", "solaris"),
                                "web2": zones.Zone("running", "/z/web2", "sparse")}


def test_an_interface_is_made_by_whichever_name_the_host_has_for_that() -> None:
    run = Script({"ipadm create-ip": (2, "", "ipadm: unrecognized subcommand: 'create-ip'\n"),
                  "ipadm create-if": (0, "", "")})
    ipadm.create_interface(run, "net1")
    assert run.asked[-1] == "ipadm create-if -t net1"


def test_the_address_of_an_object_is_without_prefix_and_zone() -> None:
    assert ipadm.AddressObject("net0/a", "addrconf", "ok", "fe80::1%net0/10").address == "fe80::1"
    assert ipadm.AddressObject("net0/a", "static", "ok", "10.0.0.1->10.0.0.2").address == "10.0.0.1"
