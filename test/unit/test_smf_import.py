"""Manifests, what they become in the repository, and what an upgrade keeps (service_bundle(5), svccfg(8) import)."""
import re
import subprocess
from pathlib import Path
from typing import Dict, List

import pytest

from sunlab.smf import manifest, upgrade
from sunlab.smf.fmri import Fmri
from sunlab.smf.properties import Group, Prop
from sunlab.smf.repository import Instance, Repository
from sunlab.smf.spec import read, timeout_s
from sunlab.smf.store import RepositoryDamaged, Store

ROOT = Path(__file__).parents[2]
BASE = sorted((ROOT / "lib/sunlab/image/lib/svc/manifest").rglob("*.xml"))

SOURCE = "/lib/svc/manifest/site/a.xml"
A = Fmri("site/a", "default")
DOCTYPE = "<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>\n"
BODY = """<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>
<service_bundle type='manifest' name='t'>
<service name='site/a' type='service' version='1'>
  <create_default_instance enabled='{enabled}'/>
  <single_instance/>
  <dependency name='net' grouping='require_all' restart_on='error' type='service'>
    <service_fmri value='svc:/milestone/network'/><service_fmri value='svc:/site/b:x'/>
  </dependency>
  <dependency name='conf' grouping='require_all' restart_on='none' type='path'>
    <service_fmri value='file://localhost/etc/a.conf'/>
  </dependency>
  <dependent name='a_mu' grouping='optional_all' restart_on='none'>
    <service_fmri value='svc:/milestone/multi-user'/></dependent>
  <exec_method type='method' name='start' exec='{start}' timeout_seconds='60'>
    <method_context working_directory='/tmp'><method_credential user='nobody'/>
      <method_environment><envvar name='A' value='1'/><envvar name='B' value='2'/></method_environment></method_context>
  </exec_method>
  <exec_method type='method' name='stop' exec=':kill' timeout_seconds='-1'/>
  <property_group name='sundog' type='application'>
    <propval name='pool' type='astring' value='{pool}'{override}/>
    <property name='ports' type='count'>
      <count_list><value_node value='80'/><value_node value='443'/></count_list></property>
  </property_group>
  <stability value='Unstable'/>
  <template><common_name><loctext xml:lang='C'>  the
    a </loctext></common_name>
    <documentation><manpage title='a' section='8' manpath='/usr/share/man'/></documentation></template>
</service></service_bundle>"""


def text(enabled: str = "true", start: str = "/bin/a", pool: str = "tank", override: str = "") -> str:
    return BODY.format(enabled=enabled, start=start, pool=pool, override=override)


def imported(repository: Repository, source: str) -> List[str]:
    done = upgrade.apply(repository, manifest.read(source, SOURCE), SOURCE)
    for name in done.touched:
        the(repository, name).take("running")
    return done.warnings


def the(repository: Repository, name: Fmri = A) -> Instance:
    found = repository.instance(name)
    assert found is not None
    return found


def set_pool(repository: Repository, value: str, refresh: bool = True) -> None:
    repository.put(repository.services["site/a"], "sundog", "pool", Prop("astring", (value,)))
    if refresh:
        the(repository).take("running")


def pool(repository: Repository) -> str:
    return the(repository).current()["sundog"].props["pool"].values[0]


def test_a_manifest_becomes_property_groups() -> None:
    repository = Repository()
    imported(repository, text())
    view = the(repository).current()
    assert view["net"].props["entities"] == Prop("fmri", ("svc:/milestone/network", "svc:/site/b:x"))
    assert view["sundog"].props["ports"] == Prop("count", ("80", "443"))
    assert view["start"].type == "method" and view["start"].props["environment"].values == ("A=1", "B=2")
    assert view["tm_common_name"].props["C"].values == ("the a",)
    assert view["tm_man_a8"].props["section"].values == ("8",)
    assert view["general"].props["enabled"] == Prop("boolean", ("true",))
    assert view["general"].props["single_instance"].values == ("true",)


def test_a_dependent_becomes_a_dependency_of_the_other_service() -> None:
    repository = Repository()
    imported(repository, text())
    group = repository.services["milestone/multi-user"].groups["a_mu"]
    assert group.type == "dependency" and group.props["entities"].values == ("svc:/site/a",)
    assert repository.services["site/a"].groups["dependents"].props["a_mu"].values == ("svc:/milestone/multi-user",)


def test_svc_startd_reads_the_running_snapshot_into_a_spec() -> None:
    repository = Repository()
    imported(repository, text())
    spec = read(the(repository).running())
    assert {(d.name, d.grouping, d.restart_on, d.entities) for d in spec.dependencies} == {
        ("net", "require_all", "error", ("svc:/milestone/network", "svc:/site/b:x")),
        ("conf", "require_all", "none", ("file://localhost/etc/a.conf",))}
    assert spec.duration == "contract" and not spec.invalid
    assert [timeout_s(the(repository).running(), m) for m in ("start", "stop")] == [60.0, None]


def test_a_grouping_that_is_none_makes_the_dependency_invalid() -> None:
    group = Group("dependency", {"entities": Prop("fmri", ("svc:/a",)), "grouping": Prop("astring", ("some",)),
                                 "restart_on": Prop("astring", ("none",)), "type": Prop("astring", ("service",))})
    assert read({"d": group}).invalid


def test_importing_the_same_again_changes_nothing() -> None:
    repository = Repository()
    imported(repository, text())
    imported(repository, text())        # takes the snapshot `previous`
    before = dict(the(repository).current())
    repository.changed = False
    assert imported(repository, text()) == [] and the(repository).current() == before
    assert not repository.changed


def test_an_upgrade_takes_the_manifests_value_where_nobody_touched_it() -> None:
    repository = Repository()
    imported(repository, text())
    assert imported(repository, text(start="/bin/a2", pool="dozer")) == []
    assert pool(repository) == "dozer" and the(repository).running()["start"].props["exec"].values == ("/bin/a2",)


def test_an_upgrade_keeps_what_the_administrator_changed() -> None:
    repository = Repository()
    imported(repository, text())
    set_pool(repository, "mine")
    assert imported(repository, text(start="/bin/a2")) == []
    assert pool(repository) == "mine"


def test_changed_on_both_sides_is_a_conflict_that_the_administrator_wins() -> None:
    repository = Repository()
    imported(repository, text())
    set_pool(repository, "mine")
    assert imported(repository, text(pool="dozer")) == [
        'Conflict upgrading svc:/site/a (property "sundog/pool" has different values).']
    assert pool(repository) == "mine"


def test_a_change_that_was_never_refreshed_is_overwritten() -> None:
    repository = Repository()
    imported(repository, text())
    set_pool(repository, "mine", refresh=False)
    assert imported(repository, text(pool="dozer")) == [] and pool(repository) == "dozer"


OVERRIDE = " override='true'"


@pytest.mark.parametrize(("pool_now", "kept"), [("dozer", "dozer"), ("tank", "mine")])
def test_override_forces_the_manifests_value_where_the_manifest_has_changed(pool_now: str, kept: str) -> None:
    repository = Repository()
    imported(repository, text())
    set_pool(repository, "mine")
    assert imported(repository, text(pool=pool_now, override=OVERRIDE)) == []
    assert pool(repository) == kept


def test_previous_is_what_was_there_before_the_import() -> None:
    repository = Repository()
    imported(repository, text())
    set_pool(repository, "mine")
    imported(repository, text(pool="dozer", override=OVERRIDE))
    assert the(repository).snapshots["previous"].service["sundog"].props["pool"].values == ("mine",)


def group(kind: str = "application", **props: str) -> Group:
    return Group(kind, {name: Prop("astring", (value,)) for name, value in props.items()})


def wanted(**props: str) -> manifest.GroupDef:
    definition = manifest.GroupDef("application")
    for name, value in props.items():
        definition.put(name, "astring", value)
    return definition


@pytest.mark.parametrize(("last", "new", "now", "after", "warned"), [
    ({"a": "1"}, {"a": "2"}, {"a": "1"}, {"a": "2"}, ""),
    ({"a": "1"}, {"a": "2"}, {"a": "x"}, {"a": "x"}, '(property "g/a" has different values)'),
    ({"a": "1"}, {"a": "2"}, {"a": "2"}, {"a": "2"}, ""),
    ({"a": "1"}, {}, {"a": "1"}, {}, ""),
    ({"a": "1"}, {}, {"a": "x"}, {"a": "x"}, '(property "g/a" has different values)'),
    ({"a": "1"}, {"a": "2"}, {}, {}, '(property "g/a" is missing)'),
    ({"a": "1"}, {}, {}, {}, ""),
    ({}, {"a": "2"}, {}, {"a": "2"}, ""),
    ({}, {"a": "2"}, {"a": "x"}, {"a": "x"}, '(new property "g/a" has different values)'),
    ({"a": "1"}, {"a": "1"}, {}, {}, "")])
def test_each_way_that_a_property_can_have_changed(last: Dict[str, str], new: Dict[str, str], now: Dict[str, str],
                                                   after: Dict[str, str], warned: str) -> None:
    props, warnings = upgrade.entries(A, "g", group(**last), wanted(**new), group(**now), group(**now))
    assert props == group(**after).props
    assert warnings == ([f"Conflict upgrading {A} {warned}."] if warned else [])


def test_enabled_is_set_at_the_first_import_and_never_upgraded() -> None:
    repository = Repository()
    imported(repository, text(enabled="false"))
    imported(repository, text(enabled="true", pool="dozer"))
    assert the(repository).groups["general"].props["enabled"].values == ("false",)


TIE = (DOCTYPE + "<service_bundle type='manifest' name='t'><service name='site/{}' type='service' version='1'>{}"
       "</service></service_bundle>")
DEPENDENT = ("<dependent name='tie' grouping='require_all' restart_on='none'>"
             "<service_fmri value='svc:/site/target'/></dependent>")


def test_a_dependent_that_the_manifest_has_no_more_is_taken_out_of_its_target() -> None:
    repository = Repository()
    imported(repository, TIE.format("one", DEPENDENT))
    assert "tie" in repository.services["site/target"].groups
    imported(repository, TIE.format("one", ""))
    assert "tie" not in repository.services["site/target"].groups
    assert "tie" not in repository.services["site/one"].groups["dependents"].props


def test_two_services_cannot_put_dependencies_of_one_name_into_a_target() -> None:
    repository = Repository()
    imported(repository, TIE.format("one", DEPENDENT))
    with pytest.raises(manifest.ManifestInvalid, match='Could not create "tie" dependency in svc:/site/target'):
        imported(repository, TIE.format("two", DEPENDENT))


def test_of_a_service_made_by_hand_an_import_changes_nothing_but_what_it_is_compared_with() -> None:
    repository = Repository()
    repository.add_instance("site/a", "default").groups["general"] = Group(
        "framework", {"enabled": Prop("boolean", ("false",))})
    imported(repository, text())
    assert "sundog" not in repository.services["site/a"].groups and "last-import" in the(repository).snapshots


BUNDLE = ("<service_bundle type='manifest' name='t'><service name='a' type='service' version='1'>{}</service>"
          "</service_bundle>")


@pytest.mark.parametrize(("source", "why"), [
    ("<service_bundle", "couldn't parse document"), (BUNDLE.format(""), "document has no DTD"),
    ("<!DOCTYPE a SYSTEM 'b'><a/>", "document DTD unknown; not service bundle?"),
    (DOCTYPE + "<x/>", "not a service bundle"),
    (DOCTYPE + "<service_bundle type='profile' name='p'/>", "document is not a manifest."),
    (DOCTYPE + BUNDLE.format("<bogus/>"), "Document is not valid."),
    (DOCTYPE + BUNDLE.format("<stability value='Unstable'/><single_instance/>"), "Document is not valid."),
    (DOCTYPE + BUNDLE.format("<create_default_instance enabled='yes'/>"), "Document is not valid."),
    (DOCTYPE + BUNDLE.format("<single_instance name='x'/>"), "Document is not valid."),
    (DOCTYPE + BUNDLE.format("words"), "Document is not valid."),
    (DOCTYPE + BUNDLE.format("<instance name='x'/>"), "Document is not valid."),
    (DOCTYPE + BUNDLE.format("<property_group name='p' type='t'><propval name='n' type='count' value='x'/>"
                             "</property_group>"), 'Invalid "count" value "x"')])
def test_a_broken_manifest_is_refused_with_its_reason(source: str, why: str) -> None:
    with pytest.raises(manifest.ManifestInvalid, match=re.escape(why)):
        manifest.read(source, "x.xml")


@pytest.mark.parametrize("path", BASE, ids=lambda p: p.name)
def test_a_nodes_manifests_can_be_read(path: Path) -> None:
    assert manifest.read(path.read_text(), str(path))


def test_the_repository_on_disk_is_the_one_in_memory_without_its_non_persistent_groups(tmp_path: Path) -> None:
    repository = Repository()
    imported(repository, text())
    the(repository).groups["restarter"] = Group("framework", {}, persistent=False)
    store = Store(str(tmp_path / "repository"))
    store.commit(repository)
    again = the(store.load())
    assert "restarter" not in again.groups
    assert again.running() == {n: g for n, g in the(repository).running().items() if n != "restarter"}
    assert again.snapshots["last-import"] == the(repository).snapshots["last-import"]


def test_a_damaged_repository_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "repository").write_text("{}\n")
    with pytest.raises(RepositoryDamaged, match="remove the file"):
        Store(str(tmp_path / "repository")).load()


def test_smf_include_is_plain_shell() -> None:
    include = ROOT / "lib/sunlab/image/lib/svc/share/smf_include.sh"
    script = f". {include}; echo $SMF_EXIT_ERR_CONFIG; smf_kill_contract x TERM || echo bad"
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True)
    assert done.stdout == "96\nbad\n"
