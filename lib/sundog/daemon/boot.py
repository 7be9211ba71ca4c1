"""Who this run of the daemon is: boot id (gone at boot), incarnation (grows at each start), host id."""
import os
from binascii import hexlify
from dataclasses import replace

from sundog.config.install import write_whole
from sundog.core.effects import Stored
from sundog.core.voters import AFTER_LOSS
from sundog.daemon.store import Store
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


def recall(store: Store, lasting: str, this_boot: str) -> Stored:
    """What this run of the daemon begins with: the vote file's record, with its life and this run's incarnation.

    The incarnation is kept three times: in the vote file, beside it (`lasting`), and in /var/run (`this_boot`), which
    is gone at boot. A vote file that counts lower than the others is an older copy that was put back, and one that is
    absent while the others are there was lost. All three are durable when this returns.
    """
    stored = store.load()
    counted = max(_number(lasting), _number(this_boot))
    if not stored.life:
        stored = replace(stored, life=new_life() + (AFTER_LOSS if counted else ""))
    elif stored.incarnation < counted and not stored.distrust:
        stored = replace(stored, distrust=f"its vote file is of run {stored.incarnation} of the coordinator, an older "
                         f"copy than that of run {counted}")
    stored = replace(stored, incarnation=max(stored.incarnation, counted) + 1)
    store.save(stored)
    for path in (lasting, this_boot):
        write_whole(path, b"%d\n" % stored.incarnation)
    return stored


def new_life() -> str:
    """A random id for what keeps votes."""
    return hexlify(os.urandom(8)).decode()


def _number(path: str) -> int:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except FileNotFoundError:
        return 0
    except ValueError:
        raise ConfigProblem(f"{path}: not a number", f"remove {path} and reboot this host") from None
