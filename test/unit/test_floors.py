"""The house stands on its floors: who may import whom, and how big a room may get."""
import ast
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

TOP = Path(__file__).parents[2]
SUNDOG = TOP / "lib/sundog"

#: What each part of lib/sundog may import of lib/sundog, besides itself and errors.
FLOORS = {
    "config": set(),
    "core": {"config"},
    "solaris": {"config"},
    "link": {"config", "core", "solaris"},
    "resource": {"config", "core", "solaris"},
    "fence": {"config", "core", "solaris", "link"},
    "daemon": {"config", "core", "solaris", "link", "fence", "resource"},
    "cli": {"config", "core", "solaris", "link", "fence", "resource"},
    "method": {"config", "solaris", "resource"},
    "errors": set(),
    "version": set(),
}
#: What a pure decision never touches.
IMPURE = {"os", "io", "socket", "subprocess", "threading", "asyncio", "time", "random", "logging", "pathlib", "select",
          "signal", "multiprocessing", "ssl", "secrets", "uuid", "datetime", "tempfile", "shutil", "sys"}


def sources(top: Path) -> List[Path]:
    return sorted(path for path in top.rglob("*.py") if "__pycache__" not in path.parts)


def imports(path: Path) -> Iterator[Tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            module = node.module or ""
            yield node.lineno, module
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def floor_of(path: Path) -> str:
    first = path.relative_to(SUNDOG).parts[0]
    return first[:-3] if first.endswith(".py") else first


@pytest.mark.parametrize("path", sources(SUNDOG), ids=lambda p: str(p.relative_to(TOP)))
def test_a_floor_imports_only_floors_below_it(path: Path) -> None:
    floor = floor_of(path)
    if floor == "__init__":
        return
    allowed = FLOORS[floor] | {floor, "errors", "version"}
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "sundog" and len(parts) > 1:
            assert parts[1] in allowed, f"{path.relative_to(TOP)}:{line}: {floor} imports {name}"
        assert parts[0] != "sunlab", f"{path.relative_to(TOP)}:{line}: the product imports the lab"


def test_the_core_has_no_input_output_clock_or_chance() -> None:
    found = [f"{path.relative_to(TOP)}:{line}: {name}" for path in sources(SUNDOG / "core")
             for line, name in imports(path) if name.split(".")[0] in IMPURE]
    assert found == []


def test_the_lab_does_not_import_the_product() -> None:
    found = [f"{path.relative_to(TOP)}:{line}: {name}" for path in sources(TOP / "lib/sunlab")
             for line, name in imports(path) if name.split(".")[0] == "sundog"]
    assert found == []


@pytest.mark.parametrize("path", sources(TOP / "lib"), ids=lambda p: str(p.relative_to(TOP)))
def test_every_file_is_one_idea_that_python_3_9_can_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 9))
    assert not text.strip() or ast.get_docstring(tree), f"{path.relative_to(TOP)} does not say what it is"
    assert text.count("\n") <= 420, f"{path.relative_to(TOP)} has {text.count(chr(10))} lines"
