"""Non-global zones of a lab node: nested namespaces over the zone's own root."""


def door(zone: str) -> str:
    """The path, in the node, of the zone's own SMF door. Raises LookupError when the zone does not run."""
    from sunlab.zones.registry import running
    at = running(zone)
    if at is None or at.state != "running":
        raise LookupError(f"invalid zone '{zone}'")
    return f"/proc/{at.init}/root/run/svc/door"
