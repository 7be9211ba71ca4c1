"""Boot arguments as zoneadmd reads them (filter_bootargs)."""
import pytest

from sunlab.zones.bootargs import read


@pytest.mark.parametrize("text, init, milestone", [
    ("", "", ""),
    ("-s", "", "single-user"),
    ("-m milestone=none", "", "none"),
    ("-m verbose", "", ""),
    ("-mverbose,milestone=multi-user", "", "multi-user"),
    ("-s -m milestone=all", "", "all"),
    ("-i /sbin/altinit", "/sbin/altinit", ""),
    ("-fs", "", "single-user"),
])
def test_options_are_read_as_getopt_reads_them(text: str, init: str, milestone: str) -> None:
    found = read(text)
    assert (found.init, found.milestone, found.unused, found.words) == (init, milestone, [], [])


def test_what_nobody_knows_is_kept_apart() -> None:
    found = read("-v -s -m ghost extra words -s")
    assert (found.milestone, found.unused, found.words) == ("single-user", ["-v", "-m ghost"], ["extra", "words", "-s"])
