"""svccfg: its language, properties, snapshots, import and export (svccfg(8), cmd/svc/svccfg)."""
from typing import Callable, Dict, List

import pytest

from conformance.rows import both, illumos, row, solaris
from conformance.target import PREFIX, Target, daemon, depends, duration, fmri, folder, group, manifest, method

Make = Callable[..., str]
QUIET = method("start", ":true") + method("stop", ":true") + duration("transient")


def change(name: str, *commands: str, level: str = "instance") -> str:
    """svccfg with the commands on its standard input."""
    entity = fmri(name) if level == "instance" else f"{PREFIX}{name}"
    return "svccfg <<'!'\nselect " + entity + "\n" + "\n".join(commands) + "\n!"


def value(host: Target, name: str, prop: str, view: str = "-c") -> str:
    return host.do(f"svcprop {view} -p {prop} {fmri(name)}").strip()


def reimport(host: Target, name: str, body: str, enabled: bool = True) -> str:
    """Import another manifest of the same service; what svccfg said."""
    host.put(f"/var/tmp/conf-{name}.xml", manifest(name, body, enabled))
    said = host.run(f"svccfg import /var/tmp/conf-{name}.xml")
    assert said.status == 0, said
    return said.err


def customise(host: Target, name: str, *commands: str) -> None:
    """Change properties of the service, and make the changes count."""
    host.do(change(name, *commands, level="service"))
    host.do(f"svcadm refresh {fmri(name)}")


# ---- the language


@both
@row("SVCCFG-USAGE-01", "svccfg_main.c, usage")
def test_an_unknown_option_is_a_usage_error(host: Target) -> None:
    assert host.fails("svccfg -q list", 2).startswith("Usage:")


@both
@row("SVCCFG-LANG-01", "svccfg_main.c, vmessage")
def test_operands_are_one_command_and_its_error_has_no_place(host: Target) -> None:
    assert host.fails(f"svccfg select {PREFIX}ghost") == \
        f"svccfg: Pattern '{PREFIX}ghost' doesn't match any instances or services\n"


@both
@row("SVCCFG-LANG-02", "svccfg_main.c, vmessage")
def test_an_error_in_a_file_has_its_line_and_ends_the_run(host: Target, service: Make) -> None:
    name = service(QUIET)
    path = folder("lang2")
    host.put(str(path), f"# comment\nselect {fmri(name)}\nsetprop ghost/x = astring: y\naddpg never application\n")
    assert host.fails(f"svccfg -f {path}") == f'svccfg ({path}, line 3): No such property group "ghost".\n'
    host.fails(f"svcprop -q -c -p never {fmri(name)}")
    host.do(f"rm {path}")


@row("SVCCFG-LANG-03", "svccfg_engine.c, engine_source")
def test_an_error_on_standard_input_names_it(host: Target) -> None:
    assert host.fails("printf 'list\\naddpg a b\\n' | svccfg >/dev/null") == \
        "svccfg (<stdin>, line 2): An entity is not selected.\n"


@row("SVCCFG-LANG-04", "svccfg_engine.c, engine_source")
def test_a_file_that_is_not_there_is_said(host: Target) -> None:
    assert host.fails("svccfg -f /var/tmp/conf-ghost") == \
        "svccfg: Could not open /var/tmp/conf-ghost: No such file or directory.\n"


@row("SVCCFG-LANG-05", "svccfg.y, unknown_cmd and errors")
@pytest.mark.parametrize(("command", "said"), [
    ("frobnicate", 'Unknown command "frobnicate".'), ("addpg one", "Syntax error."), ("select", "Syntax error."),
    ("setprop a/b", "Syntax error."), ("setprop a/b = astring: x y", "Syntax error.")])
def test_what_is_no_command_is_said(host: Target, command: str, said: str) -> None:
    assert host.fails(f"svccfg {command}") == f"svccfg: {said}\n"


@row("SVCCFG-LANG-06", "svccfg.y, multi-line value lists")
def test_a_value_list_may_span_lines(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(change(name, "addpg config application", 'setprop config/many = astring: ("one"', '"two words"', ")"))
    assert value(host, name, "config/many") == "one two\\ words"


@row("SVCCFG-LANG-07", "svccfg(8), -s and end")
def test_s_selects_and_end_ends(host: Target, service: Make) -> None:
    name = service(QUIET)
    assert "running" in host.do(f"svccfg -s {fmri(name)} listsnap").split()
    assert host.do("printf 'end\\nfrobnicate\\n' | svccfg") == ""


# ---- groups and properties


@both
@row("SVCCFG-PROP-01", "lscf_setprop")
def test_a_new_property_needs_a_type_and_an_existing_group(host: Target, service: Make) -> None:
    name = service(QUIET)
    assert host.fails(f"svccfg -s {fmri(name)} setprop config/x = astring: y") == \
        'svccfg: No such property group "config".\n'
    host.do(f"svccfg -s {fmri(name)} addpg config application")
    assert host.fails(f"svccfg -s {fmri(name)} setprop config/x = y") == "svccfg: Type required for new properties.\n"
    host.do(f"svccfg -s {fmri(name)} setprop config/x = astring: y")
    host.do(f"svccfg -s {fmri(name)} setprop config/x = z")
    assert value(host, name, "config/x") == "z"


@row("SVCCFG-PROP-02", "lscf_setprop")
@pytest.mark.parametrize(("command", "said"), [
    ("setprop x = astring: y", "Property names must contain a `/'."),
    ("setprop config/x = string: y", 'Unknown type "string:".'),
    ("setprop config/x = integer: many", 'Invalid "integer" value "many".'),
    ("setprop config/x = boolean: perhaps", 'Invalid "boolean" value "perhaps".'),
    ("setprop config/x = astring: \\(a b\\)",
     "Multiple string values or string values with spaces must be quoted with '\"'."),
    ("delprop config/ghost", "No such property config/ghost."), ("delpg ghost", 'No such property group "ghost".'),
    ("delpg config/x", 'Invalid property group name "config/x".'),
    ("addpg config application", "Property group already exists."),
    ("addpropvalue config/new y", "Type required for new properties."),
    ("addpropvalue config/word count: 1", 'Property "word" is not of type "count:".'),
    ("delpropvalue config/ghost y", "No such property config/ghost.")])
def test_each_mistake_with_a_property_has_its_sentence(host: Target, service: Make, command: str, said: str) -> None:
    name = service(QUIET)
    host.do(change(name, "addpg config application", "setprop config/word = astring: a"))
    assert host.fails(f"svccfg -s {fmri(name)} {command}") == f"svccfg: {said}\n"


@row("SVCCFG-PROP-03", "lscf_setprop, type of an existing property")
def test_another_type_for_an_existing_property_is_refused(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(change(name, "addpg config application", "setprop config/word = astring: a"))
    host.fails(f"svccfg -s {fmri(name)} addpropvalue config/word integer: 5")
    assert value(host, name, "config/word") == "a"


@both
@row("SVCCFG-PROP-04", "lscf_setpropvalue")
def test_values_are_added_and_deleted_by_pattern(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(change(name, "addpg config application", "addpropvalue config/many astring: one",
                   "addpropvalue config/many two", "addpropvalue config/many three"))
    assert value(host, name, "config/many") == "one two three"
    host.do(f"svccfg -s {fmri(name)} delpropvalue config/many 't*'")
    assert value(host, name, "config/many") == "one"


@row("SVCCFG-PROP-05", "lscf_delprop")
def test_delprop_takes_a_property_and_delpg_the_group(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(change(name, "addpg config application", "setprop config/a = astring: x", "setprop config/b = count: 1",
                   "delprop config/a"))
    host.fails(f"svcprop -q -c -p config/a {fmri(name)}")
    host.do(f"svccfg -s {fmri(name)} delpg config")
    host.fails(f"svcprop -q -c -p config {fmri(name)}")


@both
@row("SVCCFG-LIST-01", "listprop, list_prop_info")
def test_listprop_lines_its_columns_up_and_quotes_for_people(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(change(name, "addpg config application", "setprop config/longest = astring: \"two words\"",
                   "setprop config/n = count: 7", 'setprop config/two = astring: ("a" "b")'))
    assert host.do(f"svccfg -s {fmri(name)} listprop config") == (
        "config          application\n" 'config/longest  astring  "two words"\n' "config/n        count    7\n"
        'config/two      astring  "a" "b"\n')
    assert host.do(f"svccfg -s {fmri(name)} listprop config/n") == "config/n  count    7\n"


@row("SVCCFG-LIST-02", "list_pg_info")
def test_listpg_marks_groups_that_do_not_persist(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(f"svccfg -s {fmri(name)} addpg volatile application P")
    assert host.do(f"svccfg -s {fmri(name)} listpg volatile") == "volatile  application\tNONPERSISTENT\n"


@row("SVCCFG-LIST-03", "lscf_list")
def test_list_shows_properties_and_instances_of_a_service(host: Target, service: Make) -> None:
    name = service(QUIET)
    assert host.do(f"svccfg -s {PREFIX}{name} list") == ":properties\ndefault\n"
    assert f"{PREFIX}{name}\n" in host.do("svccfg list")


@row("SVCCFG-ENV-01", "lscf_setenv")
def test_setenv_changes_the_start_methods_environment(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(f"svccfg -s {PREFIX}{name} setenv COLOUR blue")
    host.do(f"svccfg -s {PREFIX}{name} setenv COLOUR red")
    assert value(host, name, "start/environment") == "COLOUR=red"
    host.do(f"svccfg -s {PREFIX}{name} unsetenv COLOUR")
    assert value(host, name, "start/environment") in ("", '""')


@row("SVCCFG-ENV-02", "lscf_setenv, -i and -m")
def test_setenv_of_an_instance_is_in_its_method_context(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(f"svccfg -s {fmri(name)} setenv -i COLOUR blue")
    assert value(host, name, "method_context/environment") == "COLOUR=blue"
    assert host.fails(f"svccfg -s {fmri(name)} setenv -m ghost A b") == 'svccfg: Couldn\'t find the method "ghost".\n'


# ---- entities


@both
@row("SVCCFG-ADD-01", "lscf_add")
def test_a_service_can_be_made_by_hand(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(f"svccfg -s {PREFIX}{name} add other")
    host.do(f"svccfg -s svc:/{PREFIX}{name}:other 'addpg general framework'")
    host.do(f"svccfg -s svc:/{PREFIX}{name}:other setprop general/enabled = boolean: true")
    host.until(f'[ "`svcs -Ho state svc:/{PREFIX}{name}:other`" = online ]')


@both
@row("SVCCFG-DELETE-01", "lscf_instance_delete")
def test_what_may_be_running_is_not_deleted_without_f(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    assert host.fails(f"svccfg delete {fmri(name)}") == \
        f"svccfg: Instance {fmri(name)} may be running.  Use delete -f if it is not.\n"
    assert host.fails(f"svccfg delete {PREFIX}{name}") == \
        f"svccfg: Instance {fmri(name)} may be running.  Use delete -f if it is not.\n"
    assert host.state(name) == "online"


@both
@row("SVCCFG-DELETE-02", "lscf_service_delete")
def test_a_disabled_service_is_deleted_with_its_instances(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(f"svcadm disable -s {fmri(name)}")
    host.do(f"svccfg delete {PREFIX}{name}")
    host.fails(f"svcs -H {PREFIX}{name}")


@row("SVCCFG-DELETE-03", "lscf_instance_delete, external dependencies")
def test_dependencies_put_in_by_others_survive_a_delete(host: Target, service: Make) -> None:
    target = service(QUIET)
    dependent = (f"<dependent name='conf-tie' grouping='require_all' restart_on='none'>"
                 f"<service_fmri value='{fmri(target)}'/></dependent>")
    service(dependent + QUIET)
    host.do(f"svccfg delete -f {fmri(target)}")
    assert "conf-tie" in host.do(f"svccfg -s {fmri(target)} listpg")
    assert "start" not in host.do(f"svccfg -s {fmri(target)} listpg")


# ---- snapshots


@both
@row("SVCCFG-SNAP-01", "lscf_revert")
def test_revert_takes_the_snapshots_values_back(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(change(name, "addpg config application", "setprop config/word = astring: old", "refresh",
                   "setprop config/word = new"))
    assert value(host, name, "config/word") == "new"
    host.do(f"svccfg -s {fmri(name)} revert running")
    assert value(host, name, "config/word") == "old"
    assert "previous" in host.do(f"svccfg -s {fmri(name)} listsnap").split()


@row("SVCCFG-SNAP-02", "lscf_selectsnap")
def test_a_snapshot_can_be_looked_at_and_not_changed(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.do(change(name, "addpg config application", "setprop config/word = astring: old", "refresh",
                   "setprop config/word = new"))
    assert "old" in host.do(change(name, "selectsnap running", "listprop config/word"))
    assert "Cannot modify snapshots." in host.fails(change(name, "selectsnap running", "setprop config/word = x"))
    assert 'No such snapshot "ghost".' in host.fails(change(name, "selectsnap ghost"))


@row("SVCCFG-SNAP-03", "lscf_refresh")
def test_refresh_makes_changes_count_and_asks_for_an_instance(host: Target, service: Make) -> None:
    name = service(daemon())
    host.reaches(name, "online")
    host.do(change(name, "addpg config application", "setprop config/word = astring: here", "refresh"))
    assert value(host, name, "config/word", "") == "here"
    assert host.fails(f"svccfg -s {PREFIX}{name} refresh") == "svccfg: Instance not selected.\n"


# ---- import


@both
@row("SVCCFG-IMPORT-01", "svccfg(8), import")
def test_a_new_instance_is_enabled_as_its_manifest_says_and_not_again(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.reaches(name, "online")
    reimport(host, name, QUIET, enabled=False)
    assert value(host, name, "general/enabled") == "true"


@both
@row("SVCCFG-IMPORT-02", "svccfg(8), upgrade")
def test_an_unchanged_property_takes_the_manifests_new_value(host: Target, service: Make) -> None:
    name = service(QUIET + group("config", word="one"))
    assert reimport(host, name, QUIET + group("config", word="two")) == ""
    assert value(host, name, "config/word", "") == "two"


@both
@row("SVCCFG-IMPORT-03", "svccfg_libscf.c, add_upgrade_entries")
def test_an_administrators_value_is_kept_and_a_conflict_is_said(host: Target, service: Make) -> None:
    name = service(QUIET + group("config", word="one"))
    customise(host, name, "setprop config/word = mine")
    assert reimport(host, name, QUIET + group("config", word="one")) == ""
    assert value(host, name, "config/word") == "mine"
    assert reimport(host, name, QUIET + group("config", word="two")) == \
        f'svccfg: Conflict upgrading svc:/{PREFIX}{name} (property "config/word" has different values).\n'
    assert value(host, name, "config/word") == "mine"


@row("SVCCFG-IMPORT-09", "svccfg_libscf.c, upgrade_props: the running snapshot is compared")
def test_a_change_that_was_not_refreshed_is_overwritten(host: Target, service: Make) -> None:
    name = service(QUIET + group("config", word="one"))
    host.do(f"svccfg -s {PREFIX}{name} setprop config/word = mine")
    assert reimport(host, name, QUIET + group("config", word="two")) == ""
    assert value(host, name, "config/word") == "two"


@row("SVCCFG-IMPORT-04", "svccfg_libscf.c, add_upgrade_entries, override")
def test_override_forces_the_manifests_value_where_the_manifest_has_changed(host: Target, service: Make) -> None:
    name = service(QUIET + group("config", word="one"))
    customise(host, name, "setprop config/word = mine")
    forced = QUIET + group("config", word="one").replace("value=", "override='true' value=")
    reimport(host, name, forced)
    assert value(host, name, "config/word") == "mine"
    reimport(host, name, forced.replace("'one'", "'two'").replace('"one"', '"two"'))
    assert value(host, name, "config/word") == "two"


@row("SVCCFG-IMPORT-05", "service_bundle.dtd.1, delete; process_old_pg")
def test_a_manifest_may_delete_a_group_even_one_that_was_changed(host: Target, service: Make) -> None:
    name = service(QUIET + group("config", word="one"))
    customise(host, name, "setprop config/word = mine")
    assert reimport(host, name, QUIET + "<property_group name='config' type='application' delete='true'/>") == ""
    host.fails(f"svcprop -q -c -p config {fmri(name)}")


@row("SVCCFG-IMPORT-10", "svccfg_libscf.c, process_old_pg")
def test_a_group_that_the_manifest_drops_goes_unless_it_was_changed(host: Target, service: Make) -> None:
    name, other = service(QUIET + group("config", word="one")), service(QUIET + group("config", word="one"))
    assert reimport(host, name, QUIET) == ""
    host.fails(f"svcprop -q -c -p config {fmri(name)}")
    customise(host, other, "setprop config/word = mine")
    assert reimport(host, other, QUIET) == \
        f'svccfg: Conflict upgrading svc:/{PREFIX}{other} (property "config/word" has different values).\n'
    assert value(host, other, "config/word") == "mine"


@row("SVCCFG-IMPORT-11", "svccfg_libscf.c, process_old_pg, report_pg_diffs")
@pytest.mark.parametrize(("commands", "after", "said"), [
    (["delpg config"], {"word": "two"}, "(property group config is missing)"),
    (["delprop config/word"], {"word": "two"}, '(property "config/word" is missing).'),
    (["addpg extra application", "setprop extra/a = astring: mine"], {},
     '(new property "extra/a" has different values).'),
    (["setprop config/b = count: 1"], {"word": "one", "b": "x"}, '(new property "config/b" has different type).')])
def test_each_conflict_has_its_sentence(host: Target, service: Make, commands: List[str], after: Dict[str, str],
                                        said: str) -> None:
    name = service(QUIET + group("config", word="one"))
    customise(host, name, *commands)
    body = group("config", **after) if after else group("config", word="one") + group("extra", a="theirs")
    assert reimport(host, name, QUIET + body) == f"svccfg: Conflict upgrading svc:/{PREFIX}{name} {said}\n"


@both
@row("SVCCFG-IMPORT-12", "smf(7), snapshots")
def test_previous_is_what_was_there_before_the_import(host: Target, service: Make) -> None:
    name = service(QUIET + group("config", word="one"))
    host.reaches(name, "online")
    reimport(host, name, QUIET + group("config", word="two"))
    assert value(host, name, "config/word", "-s previous") == "one"
    assert value(host, name, "config/word", "-s last-import") == "two"
    assert sorted(host.do(f"svccfg -s {fmri(name)} listsnap").split()) == [
        "initial", "last-import", "previous", "running", "start"]


@row("SVCCFG-IMPORT-13", "svccfg_libscf.c, lscf_dependent_import, upgrade_dependents")
def test_dependents_collide_and_go_with_their_manifest(host: Target, service: Make) -> None:
    target = service(QUIET)
    tie = (f"<dependent name='conf-tie' grouping='require_all' restart_on='none'>"
           f"<service_fmri value='{fmri(target)}'/></dependent>")
    name, other = service(tie + QUIET), service(QUIET)
    host.put(f"/var/tmp/conf-{other}.xml", manifest(other, tie + QUIET))
    assert f'Could not create "conf-tie" dependency in {fmri(target)} (already exists).' in \
        host.fails(f"svccfg import /var/tmp/conf-{other}.xml")
    reimport(host, name, QUIET)
    host.fails(f"svcprop -q -c -p conf-tie {fmri(target)}")
    assert reimport(host, other, tie + QUIET) == ""
    assert value(host, target, "conf-tie/entities") == f"svc:/{PREFIX}{other}"


@row("SVCCFG-IMPORT-06", "svccfg_libscf.c, lscf_bundle_import: refresh everything")
def test_the_same_manifest_again_changes_no_property_and_refreshes(host: Target, service: Make) -> None:
    out = folder("import6")
    body = method("refresh", f"sh -c 'echo again >>{out}'") + daemon()
    name = service(body)
    host.reaches(name, "online")
    host.do(f"rm -f {out}")
    before = host.do(f"svcprop -c {fmri(name)} | grep -v ^restarter | sort")
    contract = host.do(f"svcprop -p restarter/contract {fmri(name)}")
    assert reimport(host, name, body) == ""
    host.until(f"grep again {out}")
    host.reaches(name, "online")
    assert host.do(f"svcprop -c {fmri(name)} | grep -v ^restarter | sort; rm {out}") == before
    assert host.do(f"svcprop -p restarter/contract {fmri(name)}") == contract


@row("SVCCFG-IMPORT-14", "svccfg_engine.c, engine_import; mhash_test_file, SVCCFG_CHECKHASH")
def test_a_folder_is_counted_and_what_is_known_is_passed_over(host: Target, service: Make) -> None:
    name, path = service(QUIET), folder("import14")
    host.do(f"mkdir -p {path}; cp /var/tmp/conf-{name}.xml {path}/a.xml; : >{path}/note")
    first = host.run(f"SVCCFG_CHECKHASH=1 svccfg import {path}")
    assert first == (0, "", "svccfg: Loaded 1 smf(7) service descriptions\n")
    assert host.run(f"SVCCFG_CHECKHASH=1 svccfg import {path}") == (0, "", "")
    host.put(f"{path}/b.xml", "<x/>")
    said = host.run(f"svccfg import {path}; rm -r {path}")
    assert said.err.splitlines() == ["svccfg: document has no DTD", "svccfg: Loaded 2 smf(7) service descriptions",
                                     "svccfg: 1 smf(7) service descriptions failed to load"]


@both
@row("SVCCFG-IMPORT-15", "svccfg_xml.c, lxml_get_bundle_file")
@pytest.mark.parametrize(("old", "new", "said"), [
    ("</service>", "", "couldn't parse document"), ("<!DOCTYPE", "<!-- ", "couldn't parse document"),
    ("service_bundle.dtd.1", "x.dtd", "document DTD unknown; not service bundle?"),
    ("type='manifest'", "type='profile'", "document is not a manifest."),
    ("<create_default_instance enabled='true'/>", "<single_instance/><create_default_instance enabled='true'/>",
     "Document is not valid."),
    ("version='1'>", "version='1'><bogus/>", "Document is not valid.")])
def test_what_is_no_manifest_is_said(host: Target, old: str, new: str, said: str) -> None:
    path = folder("import15")
    host.put(str(path), manifest("never", QUIET).replace(old, new, 1))
    assert host.fails(f"svccfg import {path}").splitlines()[-1] == f"svccfg: {said}"
    host.do(f"rm {path}")
    host.fails(f"svcs -H {PREFIX}never")


@both
@row("SVCCFG-IMPORT-07", "svccfg(8), dependents")
def test_a_dependent_becomes_a_dependency_of_the_other_service(host: Target, service: Make) -> None:
    target = service(QUIET)
    name = service(f"<dependent name='conf-tie' grouping='require_all' restart_on='none'>"
                   f"<service_fmri value='{fmri(target)}'/></dependent>" + QUIET)
    assert value(host, target, "conf-tie/entities") == f"svc:/{PREFIX}{name}"
    assert value(host, target, "conf-tie/external") == "true"
    assert value(host, name, "dependents/conf-tie") == fmri(target)


@both
@row("SVCCFG-IMPORT-08", "svccfg(8), import")
def test_a_broken_manifest_changes_nothing(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.put(f"/var/tmp/conf-{name}.xml", manifest(name, QUIET).replace("</service>", ""))
    host.fails(f"svccfg import /var/tmp/conf-{name}.xml")
    assert host.fails("svccfg import /var/tmp/conf-ghost.xml") == \
        "svccfg: Unable to stat file /var/tmp/conf-ghost.xml.  No such file or directory\n"
    host.reaches(name, "online")


@both
@row("SVCCFG-VALIDATE-01", "svccfg(8), validate")
def test_validate_says_nothing_of_a_good_manifest_and_fails_for_a_bad_one(host: Target) -> None:
    path = folder("validate")
    host.put(str(path), manifest("never", QUIET))
    assert host.run(f"svccfg validate {path}") == (0, "", "")
    host.put(str(path), manifest("never", QUIET)[:-20])
    host.fails(f"svccfg validate {path}")
    host.fails(f"svcs -H {PREFIX}never")
    host.do(f"rm {path}")


@row("SVCCFG-INVENTORY-01", "svccfg(8), inventory")
def test_inventory_lists_what_a_manifest_has(host: Target) -> None:
    path = folder("inventory")
    host.put(str(path), manifest("never", QUIET))
    assert host.do(f"svccfg inventory {path}; rm {path}") == f"svc:/{PREFIX}never:default\nsvc:/{PREFIX}never\n"


# ---- export and profiles


@both
@row("SVCCFG-EXPORT-01", "svccfg(8), export; service_bundle.dtd.1")
def test_what_is_exported_is_a_manifest_that_gives_the_same_service(host: Target, service: Make) -> None:
    context = ("<method_context working_directory='/var/tmp'><method_credential user='root' group='root'/>"
               "<method_environment><envvar name='A' value='b c'/></method_environment></method_context>")
    body = (depends("net", "svc:/milestone/network:default", restart_on="refresh")
            + method("start", "sleep 100000 &", inside=context)
            + method("stop", ":kill") + group("config", word="a <b> & 'c'"))
    name = service(body)
    path = folder("export")
    host.do(f"svccfg export {PREFIX}{name} > {path}")
    assert host.do(f"svccfg validate {path}") == ""
    before = host.do(f"svcprop -C svc:/{PREFIX}{name} | grep -v manifestfiles | sort")
    host.unload(name)
    host.do(f"svccfg import {path}; rm {path}")
    assert host.do(f"svcprop -C svc:/{PREFIX}{name} | grep -v manifestfiles | sort") == before


@row("SVCCFG-EXPORT-02", "lscf_service_export")
def test_an_instance_in_exports_operand_is_ignored_with_a_warning(host: Target, service: Make) -> None:
    name = service(QUIET)
    said = host.run(f"svccfg export {fmri(name)}")
    assert (said.status, said.err) == (
        0, "svccfg: Only services may be exported; ignoring instance portion of argument.\n")
    assert "<create_default_instance enabled=" in said.out


@row("SVCCFG-EXPORT-03", "lscf_service_export, > file")
def test_export_writes_to_the_file_that_its_command_names(host: Target, service: Make) -> None:
    name = service(QUIET)
    path = folder("export3")
    assert host.do(f"svccfg 'export {PREFIX}{name} > {path}'") == ""
    assert "<service_bundle" in host.do(f"cat {path}; rm {path}")


@row("SVCCFG-ARCHIVE-01", "lscf_archive")
def test_an_archive_has_all_services(host: Target, service: Make) -> None:
    name = service(QUIET)
    out = host.do("svccfg archive")
    assert "archive" in out and f'"{PREFIX}{name}"' in out and "system/svc/restarter" in out


@both
@row("SVCCFG-PROFILE-01", "lscf_profile_extract, svccfg apply")
def test_a_profile_says_what_is_enabled_and_can_be_applied(host: Target, service: Make) -> None:
    name = service(QUIET + group("config", word="one"))
    host.reaches(name, "online")
    out = host.do("svccfg extract")
    assert f'<service name="{PREFIX}{name}"' in out.replace("'", '"')
    path = folder("profile")
    host.put(str(path), "<?xml version='1.0'?>"
             "<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>"
             f"<service_bundle type='profile' name='conf'><service name='{PREFIX}{name}' version='1' type='service'>"
             + group("config", word="two") + "<instance name='default' enabled='false'/></service></service_bundle>")
    host.do(f"svccfg apply {path}; rm {path}")
    host.reaches(name, "disabled")
    assert value(host, name, "config/word") == "two"


# ---- what only one of the two has


@solaris
@row("SVCCFG-LAYER-01", "Solaris 11.4 svccfg(8), listprop -l, delcust")
def test_solaris_tells_layers_and_deletes_customizations(host: Target, service: Make) -> None:
    name = service(QUIET + group("config", word="shipped"))
    host.do(f"svccfg -s {PREFIX}{name} setprop config/word = mine")
    out = host.do(f"svccfg -s {PREFIX}{name} listprop -l all config/word")
    assert [line.split() for line in out.splitlines()] == [
        ["config/word", "astring", "manifest", "shipped"], ["config/word", "astring", "admin", "mine"]]
    host.do(f"svccfg -s {PREFIX}{name} delcust config")
    assert value(host, name, "config/word") == "shipped"


@illumos
@row("SVCCFG-LAYER-02", "illumos svccfg(8)")
def test_illumos_has_no_layers(host: Target, service: Make) -> None:
    name = service(QUIET)
    host.fails(f"svccfg -s {fmri(name)} listprop -l all")
    host.fails(f"svccfg -s {fmri(name)} delcust")
