"""Running another command from a small one, without the cost of importing subprocess."""
import os
from typing import List, Tuple


def run(argv: List[str]) -> Tuple[int, str]:
    """Exit status (128 + signal when killed) and everything the command printed, on either output."""
    ours, theirs = os.pipe()
    pid = os.posix_spawnp(argv[0], argv, dict(os.environ), file_actions=[
        (os.POSIX_SPAWN_DUP2, theirs, 1), (os.POSIX_SPAWN_DUP2, theirs, 2),
        (os.POSIX_SPAWN_CLOSE, theirs), (os.POSIX_SPAWN_CLOSE, ours)])
    os.close(theirs)
    parts = []
    while True:
        part = os.read(ours, 65536)
        if not part:
            break
        parts.append(part)
    os.close(ours)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return (code if code >= 0 else 128 - code), b"".join(parts).decode("utf-8", "replace")
