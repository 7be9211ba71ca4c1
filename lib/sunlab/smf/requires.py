"""svcadm enable -r: an instance and all that it requires (svcadm.c, enable_fmri_rec)."""
from typing import TYPE_CHECKING, List

from sunlab.smf import listing
from sunlab.smf.fmri import MASTER, parse
from sunlab.smf.properties import first, values
from sunlab.smf.repository import Instance

if TYPE_CHECKING:
    from sunlab.smf.door import Reply
    from sunlab.smf.startd import Startd


def what_it_requires(startd: "Startd", instance: Instance, reply: "Reply") -> List[Instance]:
    """The instance, its restarter, every require_all entity and a require_any group of one, recursively."""
    found: List[Instance] = []
    _walk(startd, instance, found, [], reply)
    return found


def _walk(startd: "Startd", instance: Instance, found: List[Instance], above: List[Instance], reply: "Reply") -> None:
    if instance in above:
        reply.err(f"svcadm: {instance.fmri}: Dependency cycle detected.")
        return
    if instance in found:
        return
    found.append(instance)
    view = instance.running()
    wanted = [e for e in values(view, "general", "restarter") if e != MASTER]
    for name in listing.dependency_groups(view):
        entities = values(view, name, "entities")
        grouping = first(view, name, "grouping")
        if grouping == "require_any" and len(entities) > 1:
            reply.out("\n".join([f"{instance.fmri} requires one of:", *(f"  {e}" for e in entities)]))
        elif grouping in ("require_all", "require_any"):
            wanted += [e for e in entities if parse(e) is not None]
    for entity in wanted:
        targets = listing.named(startd, entity)
        if len(targets) > 1:
            reply.err(f"svcadm: {instance.fmri} depends on {entity}, which has multiple instances.")
        elif targets:
            _walk(startd, targets[0], found, [*above, instance], reply)
