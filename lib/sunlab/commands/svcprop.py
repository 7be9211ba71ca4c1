"""svcprop: asks svc.startd over its door."""

from sunlab.smf.client import ask


def main(argv: list[str]) -> int:
    return ask("svcprop", argv)
