"""Each kind of word takes what is right and says what is wrong."""
import subprocess
import sys
from pathlib import Path
from typing import Type

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sundog.config import fields
from sundog.config.fields import BadValue, Cidr, Command, Duration, Field, Size

KINDS = [kind for kind in vars(fields).values()
         if isinstance(kind, type) and issubclass(kind, Field) and kind not in (Field, fields.Quantity, fields.Word)]


@pytest.mark.parametrize(("kind", "right", "wrong"), [
    (fields.Name, ["web", "n1", "a-b_c"], ["", "1n", "a.b", "a b", "-n", "x" * 33, "é"]),
    (fields.Address, ["10.0.0.1", "fd00::1"], ["10.0.0", "10.0.0.1/8", "fe80::1%net0", ""]),
    (fields.Cidr, ["10.0.0.100/24", "fd00::5/64", "10.0.0.1/32"],
     ["10.0.0.1", "10.0.0.0/24", "10.0.0.255/24", "127.0.0.1/8", "10.0.0.1/255.0.0.0", "10.0.0.1/33", "224.0.0.1/4"]),
    (fields.Network, ["10.0.0.0/24", "fd00::/64"], ["10.0.0.1/24", "10.0.0.0", "x/24"]),
    (fields.PoolName, ["shopweb", "logs", "a.b:c"],
     ["", "rpool", "log", "mirror", "raidz1", "c0t0d0", "1pool", "-f", "a b", "a/b"]),
    (fields.ZoneName, ["web1", "1web", "a.b"], ["global", "SUNWx", "-z", "a/b", "x" * 64]),
    (fields.AbsPath, ["/", "/etc/sundog/key"], ["etc", "", "/a/../b", "/a\nb"]),
    (fields.FileName, ["zones/web1.cfg", "x"], ["/etc/x", "../x", "a//b", "a/./b", "key", "cluster.yaml", "a b"]),
    (fields.Fmri, ["svc:/network/http:apache24"],
     ["network/http", "svc:/network/http", "svc:/system/sundog/group:web", "svc:/a:", "svc:/a:b c"]),
    (fields.Command, ["/bin/true", "/a 'b c'"], ["true", "", "/a 'b", "/a\nb"]),
    (fields.Duration, ["2s", "500ms", "1.5h", "1d"],
     ["2", "s", "2 s", "-1s", "0s", "1.s", "1y", "1e9s", "9" * 20 + "s"]),
    (fields.Size, ["64G", "1.5T", "512M"], ["64", "64GB", "G", "64g"]),
])
def test_a_kind_takes_what_is_right_and_refuses_what_is_wrong(kind: Type[Field], right: list, wrong: list) -> None:
    for text in right:
        assert kind.parse(text) == text
        assert type(kind.parse(text)) is kind
    for text in wrong:
        with pytest.raises(BadValue) as caught:
            kind.parse(text)
        assert caught.value.remedy


def test_values_know_their_measure() -> None:
    assert Duration.parse("500ms").seconds == 0.5
    assert Duration.parse("1.5h").seconds == 5400
    assert Size.parse("64G").bytes == 64 << 30
    assert (Cidr.parse("10.0.0.100/24").address, Cidr.parse("10.0.0.100/24").prefix) == ("10.0.0.100", 24)
    assert Command.parse("/a 'b c' d").words == ["/a", "b c", "d"]
    assert Cidr.parse("fd00:0::5/64").identity == Cidr.parse("fd00::5/48").identity


@given(st.sampled_from(KINDS), st.text(max_size=80))
def test_no_text_makes_a_kind_raise_anything_but_bad_value(kind: Type[Field], text: str) -> None:
    try:
        assert kind.parse(text) == text
    except BadValue as error:
        assert str(error).isprintable()


def test_a_method_that_imports_the_kinds_imports_nothing_heavy_with_them() -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); import sundog.config.fields; print(*sys.modules)"
    library = str(Path(fields.__file__).parents[2])
    seen = subprocess.run([sys.executable, "-S", "-c", program, library], capture_output=True, text=True, check=True)
    assert "sundog.config.fields" in seen.stdout.split()
    assert not {"yaml", "ipaddress", "dataclasses", "shlex", "inspect", "json"} & set(seen.stdout.split())
