"""What `sundogd` is to be: a node's coordinator, or with --witness a witness. Imports only what that needs."""
import sys
from typing import List, Optional

OK = 0
HELP = """usage: sundogd [-h]
       sundogd --witness [--config FILE] [--check [--json]]

Be the coordinator of this node, as /etc/sundog/cluster.yaml says: SMF runs it, without arguments and once on a host.
With --witness: vote for clusters on a host that runs none of their groups.

options:
  -h, --help  show this and end; with --witness: what a witness takes

examples:
  svcadm enable svc:/system/sundog/failfast:default svc:/system/sundog/coordinator:default
  sundog check /etc/sundog/cluster.yaml --here && svcadm restart svc:/system/sundog/coordinator:default
  sundogd --witness --check

exit status:
  0   it has ended as SMF asked
  1   it cannot begin now, or something went wrong; SMF tries again
  2   called with arguments that it does not take
  96  the configuration is wrong, another one runs, or the cluster refuses this node (SMF: maintenance)
"""


def main(arguments: Optional[List[str]] = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if "--witness" in given:
        from sundog.daemon.witness_main import main as witness
        return witness(given)
    if "-h" in given or "--help" in given:
        sys.stdout.write(HELP)
        return OK
    from sundog.daemon.main import main as coordinator
    return coordinator(given)


if __name__ == "__main__":
    sys.exit(main())
