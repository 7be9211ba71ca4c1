"""Operands of the commands: which instances a pattern means, and options in the manner of getopt(3C)."""
import getopt
from typing import TYPE_CHECKING, Callable, Dict, List, Optional, Tuple

from sunlab.smf.fmri import is_glob, matches, parse
from sunlab.smf.repository import Instance, Repository

if TYPE_CHECKING:
    from sunlab.smf.door import Reply


class Usage(Exception):
    """A command line that is not understood; the text is getopt's, or empty."""


def split(args: List[str], letters: str) -> Tuple[List[Tuple[str, str]], List[str]]:
    """Options and operands. Raises Usage."""
    try:
        return getopt.getopt(args, letters)
    except getopt.GetoptError as wrong:
        raise Usage(str(wrong)) from wrong


def flags(found: List[Tuple[str, str]]) -> Dict[str, str]:
    return {name[1:]: value for name, value in found}


def find(repository: Repository, pattern: str) -> List[Instance]:
    return [i for i in repository.instances() if matches(pattern, i.service.name, i.name)]


def each(repository: Repository, operands: List[str], reply: "Reply", command: str) -> Tuple[List[Instance], bool]:
    """The instances of all operands, each once; and whether every operand meant something (svcs)."""
    found: Dict[str, Instance] = {}
    good = True
    for pattern in operands:
        here = find(repository, pattern)
        if not here:
            reply.err(f"{command}: Pattern '{pattern}' doesn't match any instances")
            good = False
        found.update((str(i.fmri), i) for i in here)
    return list(found.values()), good


def act_on(repository: Repository, operands: List[str], reply: "Reply", command: str,
           act: Callable[[Instance], Optional[int]]) -> int:
    """Do it to what each operand means; an abbreviation that means several instances is refused (svcadm)."""
    status = 0
    for pattern in operands:
        found = find(repository, pattern)
        if not found:
            reply.err(f"{command}: Pattern '{pattern}' doesn't match any instances")
            status = 1
        elif len(found) > 1 and not is_glob(pattern) and parse(pattern) is None:
            reply.err("\n".join([f"{command}: Partial FMRI '{pattern}' matches multiple instances:",
                                 *(f"    {i.fmri}" for i in found)]))
            status = 1
        else:
            for instance in found:
                status = act(instance) or status
    return status
