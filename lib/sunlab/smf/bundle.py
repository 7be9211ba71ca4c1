"""svccfg's subcommands about bundles: import, validate, inventory, apply, export, archive, extract (svccfg(8))."""
import os
from typing import Dict, List, Optional, Tuple

from sunlab.smf import batch, export, manifest, upgrade
from sunlab.smf.batch import Refused, SyntaxWrong, Word
from sunlab.smf.entities import meant
from sunlab.smf.fmri import Fmri, matches_service, parse
from sunlab.smf.milestone import enabled
from sunlab.smf.options import Usage, split
from sunlab.smf.orders import Asked, Enabled
from sunlab.smf.properties import Group, Prop, first
from sunlab.smf.repository import Entity, Service, fingerprint
from sunlab.smf.svccfg import Act, Session, operands

# --- reading


def import_(session: Session, words: Tuple[Word, ...]) -> None:
    """[-nV] [-p file] file|folder ...; with several files a failure does not end it (engine_import)."""
    try:
        options, names = split(batch.plain(words), "np:V")
    except Usage as wrong:
        raise SyntaxWrong() from wrong
    if not names:
        raise SyntaxWrong()
    session.need(session.caller.may_modify())
    paths = [found for name in names for found in files(session, name) if not reconciled(session, found)]
    failed = 0
    for path in paths:
        try:
            import_file(session, path, ("-n", "") in options)
        except Refused as why:
            session.say(str(why))
            failed += 1
    if paths and any(os.path.isdir(os.path.join(session.request.folder, name)) for name in names):
        session.say(f"Loaded {len(paths)} smf(7) service descriptions")
        if failed:
            session.say(f"{failed} smf(7) service descriptions failed to load")
    if failed:
        raise Refused("")
    if session.verbose:
        session.say("Successful import." if paths else "No changes were necessary")


def reconciled(session: Session, path: str) -> bool:
    """With SVCCFG_CHECKHASH set: is it as it was imported last?"""
    if not session.checks or not os.access(path, os.R_OK):
        return False
    with session.as_caller(), open(path, encoding="utf-8", errors="replace") as file:
        return session.repository.manifests.get(path) == fingerprint(file.read())


def import_file(session: Session, path: str, only_store: bool) -> None:
    """Raises Refused."""
    text, found = load(session, path)
    try:
        done = upgrade.apply(session.repository, found, path)
    except manifest.ManifestInvalid as wrong:
        session.say(str(wrong))
        raise Refused(f"Import of {path} failed.") from wrong
    for warning in done.warnings:
        session.say(warning)
    if session.checks:
        session.repository.manifests[path] = fingerprint(text)
        session.repository.changed = True
    if only_store:
        return
    # Success: all of it is refreshed, changed or not, and so are the targets of dependents (lscf_bundle_import).
    every = [Fmri(service.name, instance.name) for service in found for instance in service.instances]
    refresh_all(session, [*every, *(name for name in done.touched if name not in every)])


def refresh_all(session: Session, names: List[Fmri]) -> None:
    """As svccfg refresh: what is running rereads its configuration."""
    session.startd.refresh(names)
    for name in names:
        instance = session.repository.instance(name)
        if instance is not None and first(instance.groups, "restarter", "state") in ("online", "degraded"):
            session.startd.queue.append(Asked(str(name), "refresh"))


def files(session: Session, name: str) -> List[str]:
    """The file, or the manifests below a folder."""
    path = os.path.join(session.request.folder, name)
    with session.as_caller():
        if not os.path.exists(path):
            raise Refused(f"Unable to stat file {name}.  No such file or directory")
        if not os.path.isdir(path):
            return [path]
        return sorted(os.path.join(folder, one) for folder, _, names in os.walk(path) for one in names
                      if one.endswith(".xml"))


def load(session: Session, path: str, kind: str = "manifest") -> Tuple[str, List[manifest.ServiceDef]]:
    """The text and what it defines. Raises Refused."""
    try:
        with session.as_caller(), open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as failed:
        raise Refused(f"unable to open file: {failed.strerror}") from failed
    except UnicodeDecodeError as failed:
        raise Refused("couldn't parse document") from failed
    try:
        return text, manifest.read(text, path, kind)
    except manifest.ManifestInvalid as wrong:
        for detail in wrong.details:
            session.reply.err(detail)
        raise Refused(str(wrong)) from wrong


def validate(session: Session, words: Tuple[Word, ...]) -> None:
    given = operands(words, 0, 1)
    path = os.path.join(session.request.folder, given[0].replace("file:", "", 1)) if given else ""
    if not os.path.isfile(path):
        raise Refused("validate of an entity: not modelled in this lab")
    load(session, path)


def inventory(session: Session, words: Tuple[Word, ...]) -> None:
    for service in load(session, os.path.join(session.request.folder, operands(words, 1, 1)[0]))[1]:
        for instance in service.instances:
            session.reply.out(f"svc:/{service.name}:{instance.name}")
        session.reply.out(f"svc:/{service.name}")


# --- profiles


def apply(session: Session, words: Tuple[Word, ...]) -> None:
    """A profile: what it names and is there takes its values, whoever set them before."""
    session.need(session.caller.may_modify())
    for path in files(session, operands(words, 1, 1)[0]):
        for definition in load(session, path, "profile")[1]:
            service = session.repository.services.get(definition.name)
            if service is None:
                if session.verbose:
                    session.say(f"Ignoring nonexistent service svc:/{definition.name}.")
                continue
            apply_service(session, service, definition)


def apply_service(session: Session, service: Service, definition: manifest.ServiceDef) -> None:
    put_groups(session, service, definition)
    for wanted in definition.instances:
        instance = service.instances.get(wanted.name)
        if instance is None:
            if session.verbose:
                session.say(f"Ignoring nonexistent instance svc:/{service.name}:{wanted.name}.")
            continue
        put_groups(session, instance, wanted)
        if wanted.enabled is not None:
            put(session, instance, "general", "framework", "enabled", Prop("boolean", (wanted.enabled,)))
            session.startd.queue.append(Enabled(str(instance.fmri), enabled(instance)))
    session.startd.refresh([i.fmri for i in service.instances.values()])


def put_groups(session: Session, entity: Entity, definition: manifest.EntityDef) -> None:
    for name, group in definition.groups.items():
        for prop, wanted in group.props.items():
            put(session, entity, name, group.type, prop, wanted.prop)


def put(session: Session, entity: Entity, group: str, kind: str, prop: str, value: Prop) -> None:
    if group not in entity.groups:
        session.repository.put_group(entity, group, Group(kind, {}))
    session.repository.put(entity, group, prop, value)


# --- writing


def export_(session: Session, words: Tuple[Word, ...]) -> None:
    """[-a] {service | pattern} [> file]"""
    (options, names), file = optional_a(words)
    if len(names) != 1:
        raise SyntaxWrong()
    pattern = names[0]
    exact = parse(pattern)
    if exact is not None and exact.instance is not None:
        session.say("Only services may be exported; ignoring instance portion of argument.")
        pattern = f"svc:/{exact.service}"
    found = [e for e in meant(session, pattern) if isinstance(e, Service)]
    found = found or [s for s in session.repository.services.values() if matches_service(pattern, s.name)]
    if len(found) != 1:
        listed = "".join(f"\n    {s.fmri}" for s in found)
        raise Refused(f"Pattern '{pattern}' matches multiple instances:{listed}" if found
                      else f"Pattern '{pattern}' doesn't match any instances or services")
    write(session, file, export.document("manifest", "export", export.services(session, found, "-a" in options)))


def archive(session: Session, words: Tuple[Word, ...]) -> None:
    """[-a] [> file]"""
    (options, names), file = optional_a(words)
    if names:
        raise SyntaxWrong()
    found = export.services(session, list(session.repository.services.values()), "-a" in options)
    write(session, file, export.document("archive", "none", found))


def extract(session: Session, words: Tuple[Word, ...]) -> None:
    """[> file]: a profile of what is enabled."""
    names, file = batch.redirected(words)
    if names:
        raise SyntaxWrong()
    write(session, file, export.document("profile", "extract", export.enablings(session.repository)))


def optional_a(words: Tuple[Word, ...]) -> Tuple[Tuple[Dict[str, str], List[str]], Optional[str]]:
    given, file = batch.redirected(words)
    try:
        options, names = split(given, "a")
    except Usage as wrong:
        raise SyntaxWrong() from wrong
    return (dict(options), names), file


def write(session: Session, file: Optional[str], text: str) -> None:
    if file is None:
        session.reply.out(text.rstrip("\n"))
        return
    try:
        with session.as_caller(), open(os.path.join(session.request.folder, file), "w", encoding="utf-8") as out:
            out.write(text)
    except OSError as failed:
        raise Refused(f'Could not open "{file}": {failed.strerror}.') from failed


ACTS: Dict[str, Act] = {
    "import": import_, "validate": validate, "inventory": inventory, "apply": apply, "export": export_,
    "archive": archive, "extract": extract}
