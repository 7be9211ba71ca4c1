"""What the pages show as a configuration is one."""
import re
from pathlib import Path
from typing import List

import pytest

from sundog.config.load import examine
from sundog.config.survival import survival

TOP = Path(__file__).parents[2]


def examples(page: str) -> List[str]:
    """The page's configurations: its YAML blocks that begin with a cluster."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", (TOP / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if block.startswith("cluster:")]


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md"])
def test_the_examples_of_a_page_are_good(page: str) -> None:
    from sundog.resource import parameters
    assert examples(page)
    for text in examples(page):
        reading = examine(text, name=page, types=parameters(), fetch=lambda name: "create -b\n")
        assert [str(problem) for problem in reading.problems if problem.severity != "risk"] == []


def test_what_the_page_says_that_the_votes_of_its_example_protect_from_is_what_check_says() -> None:
    from sundog.resource import parameters
    page = "docs/configuration.md"
    cluster = examine(examples(page)[0], name=page, types=parameters(), fetch=lambda name: "create -b\n").cluster
    assert cluster is not None
    assert "\n".join(survival(cluster).lines()) in (TOP / page).read_text(encoding="utf-8")
