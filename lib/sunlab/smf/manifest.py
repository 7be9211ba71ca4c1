"""A service manifest (service_bundle(5)) read into plain definitions; upgrade.py applies them.

Templates are kept as far as svcs(1) shows them: common name, manual pages, links, description.
"""
from typing import Dict, List, NamedTuple, Optional, Tuple
from xml.etree import ElementTree

from sunlab.smf import dtd
from sunlab.smf.fmri import parse
from sunlab.smf.properties import Prop, canonical, value_error

Element = ElementTree.Element


class ManifestInvalid(Exception):
    """A manifest that cannot be imported; the text says why, `details` where."""

    def __init__(self, text: str, *details: str) -> None:
        super().__init__(text)
        self.details = details


class PropDef(NamedTuple):
    prop: Prop
    override: bool = False


class GroupDef:
    """A property group as a manifest has it; `delete` asks for its removal."""

    def __init__(self, kind: str, delete: bool = False) -> None:
        self.type = kind
        self.delete = delete
        self.props: Dict[str, PropDef] = {}

    def put(self, name: str, kind: str, *values: str, override: bool = False) -> None:
        for value in values:
            wrong = value_error(kind, value)
            if wrong:
                raise ManifestInvalid(f'property "{name}": {wrong}')
        self.props[name] = PropDef(Prop(kind, tuple(canonical(kind, v) for v in values)), override)


class DependentDef(NamedTuple):
    """A dependency to be put into another service or instance, `target`, on the one that defines it."""
    name: str
    target: str
    group: GroupDef
    delete: bool


class EntityDef:
    def __init__(self) -> None:
        self.groups: Dict[str, GroupDef] = {}
        self.dependents: List[DependentDef] = []

    def group(self, name: str, kind: str, delete: bool = False) -> GroupDef:
        """The group of that name, made if it is new; repeated groups are merged."""
        found = self.groups.setdefault(name, GroupDef(kind, delete))
        found.delete = found.delete or delete
        return found


class InstanceDef(EntityDef):
    def __init__(self, name: str, enabled: Optional[str]) -> None:
        super().__init__()
        self.name = name
        self.enabled = enabled


class ServiceDef(EntityDef):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.instances: List[InstanceDef] = []


def read(text: str, source: str, kind: str = "manifest") -> List[ServiceDef]:
    """The services of a manifest, or of another kind of bundle; `source` names it in errors. Raises ManifestInvalid."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as broken:
        line, column = broken.position
        raise ManifestInvalid("couldn't parse document",
                              f"{source}:{line}:{column}: parser error : {broken}") from broken
    system = dtd.system_of(text)
    if system is None:
        raise ManifestInvalid("document has no DTD")
    if system != dtd.PATH:
        raise ManifestInvalid("document DTD unknown; not service bundle?")
    if root.tag != "service_bundle":
        raise ManifestInvalid("document is not a service bundle")
    # Profiles are not validated: libxml2 cannot where they include others.
    faults = [f"{source}: validity error : {fault}" for fault in dtd.faults(root)] if kind != "profile" else []
    if faults:
        raise ManifestInvalid("Document is not valid.", *faults)
    if root.get("type") != kind:
        raise ManifestInvalid(f"document is not {'an' if kind[0] in 'aeiou' else 'a'} {kind}.")
    return [_service(e) for e in _bundled(root)]


def _bundled(bundle: Element) -> List[Element]:
    """The services of a bundle and of the bundles in it."""
    found = []
    for child in bundle:
        if child.tag == "service":
            found.append(child)
        elif child.tag == "service_bundle":
            found += _bundled(child)
        else:
            raise ManifestInvalid(f'element "{child.tag.rpartition("}")[2]}" is not modelled in this lab')
    return found


def _attribute(element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise ManifestInvalid(f'element "{element.tag}" lacks the attribute "{name}"')
    return value


def _service(element: Element) -> ServiceDef:
    service = ServiceDef(_attribute(element, "name"))
    for child in element:
        if child.tag == "create_default_instance":
            service.instances.append(InstanceDef("default", _attribute(child, "enabled")))
        elif child.tag == "single_instance":
            service.group("general", "framework").put("single_instance", "boolean", "true")
        elif child.tag == "instance":
            instance = InstanceDef(_attribute(child, "name"), _attribute(child, "enabled"))
            for inner in child:
                _common(instance, inner)
            service.instances.append(instance)
        else:
            _common(service, child)
    return service


def _common(entity: EntityDef, element: Element) -> None:
    """What services and instances share."""
    tag = element.tag
    if tag == "property_group":
        _properties(entity.group(_attribute(element, "name"), _attribute(element, "type"), _deletes(element)), element)
    elif tag == "dependency":
        group = entity.group(_attribute(element, "name"), "dependency", _deletes(element))
        _dependency(group, element, _attribute(element, "type"))
    elif tag == "dependent":
        _dependent(entity, element)
    elif tag == "exec_method":
        _method(entity, element)
    elif tag == "method_context":
        _context(entity.group("method_context", "framework"), element)
    elif tag == "restarter":
        entity.group("general", "framework").put("restarter", "fmri", *_fmris(element))
    elif tag == "stability":
        entity.group("general", "framework").put("entity_stability", "astring", _attribute(element, "value"))
    elif tag == "template":
        _template(entity, element)
    elif tag != "notification_parameters":       # only fmd reads those
        raise ManifestInvalid(f'unexpected element "{tag}"')


def _deletes(element: Element) -> bool:
    return element.get("delete") == "true"


def _fmris(element: Element) -> List[str]:
    return [_attribute(e, "value") for e in element if e.tag == "service_fmri"]


def _properties(group: GroupDef, element: Element) -> None:
    for child in element:
        override = child.get("override") == "true"
        if child.tag == "propval":
            group.put(_attribute(child, "name"), child.get("type") or "astring", _attribute(child, "value"),
                      override=override)
        elif child.tag == "property":
            kind = _attribute(child, "type")
            values = [_attribute(v, "value") for items in child for v in items]
            group.put(_attribute(child, "name"), kind, *values, override=override)
        elif child.tag == "stability":
            group.put("stability", "astring", _attribute(child, "value"))


def _dependency(group: GroupDef, element: Element, kind: str) -> None:
    group.put("entities", "fmri", *_fmris(element))
    group.put("grouping", "astring", _attribute(element, "grouping"))
    group.put("restart_on", "astring", _attribute(element, "restart_on"))
    group.put("type", "astring", kind)
    _properties(group, element)


def _dependent(entity: EntityDef, element: Element) -> None:
    targets = _fmris(element)
    if len(targets) != 1 or parse(targets[0]) is None:
        raise ManifestInvalid(f'dependent "{element.get("name")}" must name one service')
    group = GroupDef("dependency")
    group.put("grouping", "astring", _attribute(element, "grouping"))
    group.put("restart_on", "astring", _attribute(element, "restart_on"))
    group.put("type", "astring", "service")
    _properties(group, element)
    entity.dependents.append(DependentDef(_attribute(element, "name"), targets[0], group, _deletes(element)))


def _method(entity: EntityDef, element: Element) -> None:
    group = entity.group(_attribute(element, "name"), "method", _deletes(element))
    group.put("exec", "astring", _attribute(element, "exec"))
    seconds = _attribute(element, "timeout_seconds")
    group.put("timeout_seconds", "count", canonical("count", seconds))
    group.put("type", "astring", _attribute(element, "type"))
    for child in element:
        if child.tag == "method_context":
            _context(group, child)
    _properties(group, element)


def _context(group: GroupDef, element: Element) -> None:
    """A method_context becomes properties, as libscf's restarter_get_method_context(3SCF) reads them."""
    for name in ("working_directory", "project", "resource_pool", "security_flags"):
        if element.get(name) is not None:
            group.put(name, "astring", _attribute(element, name))
    for child in element:
        if child.tag == "method_credential":
            group.put("use_profile", "boolean", "false")
            for name in ("user", "group", "supp_groups", "privileges", "limit_privileges"):
                if child.get(name) is not None:
                    group.put(name, "astring", _attribute(child, name))
        elif child.tag == "method_profile":
            group.put("use_profile", "boolean", "true")
            group.put("profile", "astring", _attribute(child, "name"))
        elif child.tag == "method_environment":
            group.put("environment", "astring",
                      *[f"{_attribute(v, 'name')}={_attribute(v, 'value')}" for v in child if v.tag == "envvar"])


def _texts(element: Element) -> List[Tuple[str, str]]:
    """(locale, text in one line) of each loctext."""
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    return [(e.get(lang) or "C", " ".join((e.text or "").split())) for e in element if e.tag == "loctext"]


def _template(entity: EntityDef, element: Element) -> None:
    for child in element:
        if child.tag in ("common_name", "description"):
            for locale, text in _texts(child):
                entity.group(f"tm_{child.tag}", "template").put(locale.replace("-", "_"), "ustring", text)
        elif child.tag == "documentation":
            for item in child:
                if item.tag == "manpage":
                    title, section = _attribute(item, "title"), _attribute(item, "section")
                    page = entity.group(f"tm_man_{title}{section}".replace(".", "_"), "template")
                    page.put("title", "ustring", title)
                    page.put("section", "astring", section)
                    page.put("manpath", "astring", item.get("manpath") or ":default")
                elif item.tag == "doc_link":
                    link = entity.group(f"tm_doc_{_attribute(item, 'name')}".replace(" ", "_"), "template")
                    link.put("name", "ustring", _attribute(item, "name"))
                    link.put("uri", "uri", _attribute(item, "uri"))
