"""What holds for every test."""
import pytest
from hypothesis import settings

# How long an example takes says more of the machine's load than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--target", choices=("lab", "local"), default="lab",
                    help="conformance: a lab host, or this very Solaris host (as root)")
    group.addoption("--shuffle", type=int, metavar="SEED", help="conformance: run the cases in a random order")
