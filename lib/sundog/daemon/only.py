"""One process at most: a lock on a file, given up when the process ends, however it ends."""
import errno
import fcntl

from sundog.errors import ConfigProblem


class OnlyOne:
    """Held from here on. Raises ConfigProblem, with `taken` and `remedy`, if another process has it; OSError."""

    def __init__(self, path: str, taken: str, remedy: str) -> None:
        self._file = open(path, "a+", encoding="ascii")      # noqa: SIM115 (held as long as the process lives)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise ConfigProblem(taken, remedy) from None
            raise

    def close(self) -> None:
        self._file.close()
