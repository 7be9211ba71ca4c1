"""A host whose commands answer from a script of what real ones print."""
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from sundog.solaris.host import Host
from sundog.solaris.run import Done

#: (exit status, stdout, stderr); or several, one for each call, the last for all that follow.
Answer = Tuple[int, str, str]


class Script:
    """`answers` by the command's words, beginning with its name without directory; the longest beginning wins."""

    def __init__(self, answers: Dict[str, Union[Answer, List[Answer]]]) -> None:
        self.answers = answers
        self.asked: List[str] = []

    def __call__(self, argv: Sequence[str], *, timeout_s: float, input: Optional[str] = None) -> Done:
        assert argv[0].startswith("/"), "commands are named by their absolute path"
        line = " ".join([argv[0].rsplit("/", 1)[1], *argv[1:]])
        self.asked.append(line)
        known = [key for key in self.answers if line == key or line.startswith(key + " ")]
        assert known, f"nobody said what '{line}' answers"
        answer: Any = self.answers[max(known, key=len)]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return Done(tuple(argv), *answer, False, 0.0)


def host(**answers: Union[Answer, List[Answer]]) -> Tuple[Host, Script]:
    """Underscores in a name stand for blanks: zpool_list=(0, "…", "")."""
    script = Script({name.replace("_", " "): answer for name, answer in answers.items()})
    return Host(script), script
