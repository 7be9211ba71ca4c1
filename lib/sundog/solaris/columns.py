"""Lines of fields as zoneadm and ipadm print them for programs: ':' separates, a backslash takes the next as it is."""
from typing import List


def fields(line: str) -> List[str]:
    """The fields of one line, without their backslashes."""
    found: List[str] = []
    field = ""
    rest = iter(line)
    for char in rest:
        if char == "\\":
            field += next(rest, "")
        elif char == ":":
            found.append(field)
            field = ""
        else:
            field += char
    found.append(field)
    return found
