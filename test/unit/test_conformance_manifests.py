"""The conformance suite feeds hosts with manifests that SMF's own DTD accepts."""
import subprocess
from pathlib import Path

import pytest

from conformance.target import daemon, depends, duration, group, manifest, method

DTD = Path(__file__).parents[1] / "data/service_bundle.dtd.1"


@pytest.mark.parametrize("body", [
    daemon(), daemon("sh -c 'echo \"a\" && sleep 1 &'", "sh -c 'kill `cat /x`'"),
    depends("base", "svc:/site/conf-x:default", "file://localhost/tmp/x", kind="path") + daemon(),
    method("start", ":true", 1, "<method_context working_directory='/'><method_credential user='nobody'/>"
                                "</method_context>") + method("stop", ":true") + duration("transient"),
    daemon() + group("config", greeting="a < b & \"c\""),
])
def test_a_manifest_is_valid(tmp_path: Path, body: str) -> None:
    file = tmp_path / "m.xml"
    file.write_text(manifest("x", body))
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--dtdvalid", str(DTD), str(file)], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
