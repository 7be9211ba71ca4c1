"""What is wrong with a configuration: one Problem for each mistake, with its place; a ConfigError for all of them."""
from typing import Any, Dict, NamedTuple, Optional, Tuple

from sundog.errors import ConfigProblem

ERROR, WARNING, RISK = "error", "warning", "risk"


class Mark(NamedTuple):
    """A place in the file, both counted from 1."""
    line: int
    column: int


class Problem(NamedTuple):
    """One mistake. An ERROR keeps the file from being used; a WARNING or a RISK is for the operator to weigh."""
    severity: str
    file: str
    mark: Mark
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        said = f"{self.file}:{self.mark.line}:{self.mark.column}: {self.severity}: {self.text}"
        return f"{said}; {self.remedy}" if self.remedy else said

    def plain(self) -> Dict[str, Any]:
        """As data."""
        return {"severity": self.severity, "file": self.file, "line": self.mark.line, "column": self.mark.column,
                "text": self.text, "remedy": self.remedy}


class ConfigError(ConfigProblem):
    """The configuration cannot be used. `problems` has all errors and warnings in the file's order."""

    def __init__(self, problems: Tuple[Problem, ...], said: Optional[str] = None) -> None:
        errors = [problem for problem in problems if problem.severity == ERROR]
        super().__init__(str(errors[0]) if errors else "the configuration cannot be used", said=said)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)
