"""What the lab takes for a valid manifest is what libxml2 takes for one (service_bundle.dtd.1)."""
import random
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sunlab.smf import dtd

ROOT = Path(__file__).parents[2]
DTD = ROOT / "test/data/service_bundle.dtd.1"
MANIFESTS = sorted([*(ROOT / "lib/sunlab").rglob("*.xml"), *(ROOT / "smf").rglob("*.xml")])
WORDS = ("true", "maybe", "require_all", "astring", "service", "")


def valid(text: str, tmp_path: Path) -> bool:
    """xmllint's verdict."""
    path = tmp_path / "m.xml"
    path.write_text(text)
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--dtdvalid", str(DTD), str(path)],
                          capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda p: p.name)
def test_a_shipped_manifest_has_no_fault(path: Path) -> None:
    assert list(dtd.faults(ElementTree.fromstring(path.read_text()))) == []
    assert dtd.system_of(path.read_text()) == dtd.PATH


def disturb(root: ElementTree.Element, chance: random.Random) -> None:
    """One change that may or may not matter."""
    element = chance.choice(list(root.iter()))
    children = list(element)
    what = chance.randrange(6)
    if what == 0 and children:
        element.remove(chance.choice(children))
    elif what == 1 and children:
        element.append(children[0])
    elif what == 2 and len(children) > 1:
        element[:] = children[::-1]
    elif what == 3 and element.attrib:
        del element.attrib[chance.choice(list(element.attrib))]
    elif what == 4 and element.attrib:
        element.set(chance.choice(list(element.attrib)), chance.choice(WORDS))
    else:
        element.set(chance.choice(["name", "delete", "override", "bogus"]), chance.choice(WORDS))


@pytest.mark.parametrize("seed", range(60))
def test_a_disturbed_manifest_is_judged_as_by_libxml2(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    root = ElementTree.fromstring(chance.choice(MANIFESTS).read_text())
    disturb(root, chance)
    text = ElementTree.tostring(root, encoding="unicode")
    assert (not list(dtd.faults(ElementTree.fromstring(text)))) == valid(text, tmp_path)
