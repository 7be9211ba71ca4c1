"""Who this run of the daemon is: boot id (gone at boot), incarnation (grows at each start), host id."""
import os
from binascii import hexlify

from sundog.config.install import write_whole
from sundog.errors import ConfigProblem


def boot_id(path: str) -> str:
    """The random id of this boot, made by whoever asks first: /var/run is emptied at boot."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        with open(path, encoding="ascii") as file:
            known = file.read().strip()
        if len(known) == 32:
            return known
        raise ConfigProblem(f"{path}: not a boot id", f"remove {path} and reboot this host") from None
    made = hexlify(os.urandom(16))
    with open(fd, "wb") as file:
        file.write(made)
    return made.decode()


def next_incarnation(path: str) -> int:
    """One more than at the last start, durable before it is used."""
    try:
        with open(path, encoding="ascii") as file:
            last = int(file.read())
    except FileNotFoundError:
        last = 0
    except ValueError:
        raise ConfigProblem(f"{path}: not a number", f"remove {path} and reboot this host") from None
    write_whole(path, b"%d\n" % (last + 1))
    return last + 1
