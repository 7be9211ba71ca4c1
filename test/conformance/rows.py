"""How a case names the row that it holds a host to, and the platforms that it is for."""
from typing import Any

import pytest


def row(name: str, source: str) -> Any:
    """`name`: stable, as SVCS-COL-03; `source`: the manual page or source file that says so."""
    return pytest.mark.row(name, source)


both = pytest.mark.parametrize("host", ["illumos", "solaris11.4"], indirect=True)
illumos = pytest.mark.parametrize("host", ["illumos"], indirect=True)
solaris = pytest.mark.parametrize("host", ["solaris11.4"], indirect=True)
