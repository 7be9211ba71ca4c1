"""The cluster's key: 32 random bytes, base64, in a file that only root can read."""
import base64
import binascii
import os
import stat

from sundog.errors import ConfigProblem

KEY_BYTES = 32


def load_key(path: str) -> bytes:
    """The key in `path`. Raises ConfigProblem when it is absent, readable by others, or not 32 bytes of base64."""
    make = f"make one with: (umask 077; openssl rand -base64 32 > {path}), the same on every node"
    try:
        with open(path, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(4096)
    except OSError as error:
        raise ConfigProblem(f"key file {path}: {error.strerror}", make) from None
    if mode & 0o077:
        raise ConfigProblem(f"key file {path}: mode {mode:04o} lets others than its owner use it", f"chmod 600 {path}")
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise ConfigProblem(f"key file {path}: not base64", make) from None
    if len(key) != KEY_BYTES:
        raise ConfigProblem(f"key file {path}: {len(key)} bytes, not {KEY_BYTES}", make)
    return key
