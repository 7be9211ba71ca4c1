"""What SMF methods written in Python share on Solaris 11.4 (smf_method(7)): statuses, and a main that calls a method.

A method file ends with `smf_include.smf_main()`: it calls the function start, stop or refresh of that file.
"""
import os
import subprocess
import sys

SMF_EXIT_OK = 0
SMF_EXIT_ERR_FATAL = 95
SMF_EXIT_ERR_CONFIG = 96
SMF_EXIT_MON_DEGRADE = 97
SMF_EXIT_MON_OFFLINE = 98
SMF_EXIT_ERR_NOSMF = 99
SMF_EXIT_ERR_PERM = 100
SMF_EXIT_TEMP_DISABLE = 101
SMF_EXIT_TEMP_TRANSIENT = 102


def smf_main() -> None:
    """Call the main module's function for the method asked for, and exit with what it returns (None: 0)."""
    wanted = os.environ.get("SMF_METHOD") or (sys.argv[1] if len(sys.argv) > 1 else "")
    act = getattr(sys.modules["__main__"], wanted, None)
    if act is None:
        print(f"{sys.argv[0]}: no method {wanted!r}", file=sys.stderr)
        sys.exit(SMF_EXIT_ERR_FATAL)
    sys.exit(act() or SMF_EXIT_OK)


def smf_method_exit(code: int, short_reason: str, reason: str) -> None:
    """Say why in the instance's comment and exit with `code`."""
    include = ". /lib/svc/share/smf_include.sh; smf_method_exit \"$0\" \"$1\" \"$2\""
    sys.exit(subprocess.run(["/sbin/sh", "-c", include, str(code), short_reason, reason], check=False).returncode)
