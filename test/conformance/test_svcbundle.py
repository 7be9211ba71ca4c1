"""svcbundle(8), which Solaris 11 has and illumos has not."""
from conformance.rows import illumos, row, solaris
from conformance.target import Target

MINIMUM = "svcbundle -s service-name=site/conf-bundle -s start-method='/bin/echo started'"


@illumos
@row("SVCBUNDLE-ILLUMOS-01", "smf-fidelity: illumos has no svcbundle")
def test_illumos_has_none(host: Target) -> None:
    assert host.run("svcbundle help").status == 127


@solaris
@row("SVCBUNDLE-PRINT-01", "svcbundle(8), standard output")
def test_a_manifest_is_printed_valid_transient_and_behind_multi_user(host: Target) -> None:
    host.do(f"{MINIMUM} > /var/tmp/conf-bundle.xml && svccfg validate /var/tmp/conf-bundle.xml")
    text = host.do("cat /var/tmp/conf-bundle.xml; rm /var/tmp/conf-bundle.xml")
    assert text.startswith('<?xml version="1.0" ?>\n<!DOCTYPE service_bundle\n')
    for part in ('<service_fmri value="svc:/milestone/multi-user"/>', 'name="duration" value="transient"',
                 'exec="/bin/echo started"', 'exec=":true"', 'timeout_seconds="60"',
                 '<instance enabled="true" name="default"/>'):
        assert part in text


@solaris
@row("SVCBUNDLE-MODEL-01", "svcbundle(8), model")
def test_a_daemon_is_killed_to_stop_it(host: Target) -> None:
    text = host.do(f"{MINIMUM} -s model=daemon")
    assert 'exec=":kill"' in text and "duration" not in text
    assert 'value="child"' in host.do(f"{MINIMUM} -s model=wait")


@solaris
@row("SVCBUNDLE-PROPERTY-01", "svcbundle(8), instance-property")
def test_a_manifest_is_imported_with_its_properties(host: Target) -> None:
    file = "/var/tmp/conf-bundle.xml"
    host.do(f"{MINIMUM} -s enabled=false -s instance-property=config:done:boolean:false"
            f" -s service-property=config:word:astring:a:b -o {file} && svccfg import {file}")
    try:
        assert host.do("svcprop -p config/done svc:/site/conf-bundle:default").strip() == "false"
        assert host.do("svcprop -p config/word svc:/site/conf-bundle:default").strip() == "a:b"
        assert host.do("svcs -Ho state svc:/site/conf-bundle:default").strip() == "disabled"
    finally:
        host.do(f"svccfg delete -f site/conf-bundle; rm {file}")


@solaris
@row("SVCBUNDLE-INSTALL-01", "svcbundle(8), -i")
def test_installing_is_having_the_service(host: Target) -> None:
    host.do(f"{MINIMUM} -i")
    try:
        host.until("svcs -Ho state svc:/site/conf-bundle:default | grep online")
        assert "conf-bundle.xml" in host.fails(f"{MINIMUM} -i", 1)
    finally:
        host.do("rm /lib/svc/manifest/site/conf-bundle.xml; svccfg delete -f site/conf-bundle")


@solaris
@row("SVCBUNDLE-USAGE-01", "svcbundle(8), help and errors")
def test_names_are_told_and_mistakes_refused(host: Target) -> None:
    assert "service-name" in host.do("svcbundle help") and "start-method" in host.do("svcbundle help start-method")
    assert "service-name is missing" in host.fails("svcbundle -s start-method=/bin/true", 1)
    host.fails("svcbundle -s service-name=site/conf-x", 1)
    host.fails(f"{MINIMUM} -s model=mouse", 1)
    host.fails(f"{MINIMUM} -s colour=red", 1)
    host.fails("svcbundle", 2)
