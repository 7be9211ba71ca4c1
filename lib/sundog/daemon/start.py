"""What `sundogd` is to be: a node's coordinator, or with --witness a witness. Imports only what that needs."""
import sys
from typing import List, Optional


def main(arguments: Optional[List[str]] = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    if "--witness" in given:
        from sundog.daemon.witness_main import main as witness
        return witness(given)
    from sundog.daemon.main import main as coordinator
    return coordinator(given)


if __name__ == "__main__":
    sys.exit(main())
