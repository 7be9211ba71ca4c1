"""Services as XML: what svccfg's export, archive and extract write (service_bundle(5); svccfg_libscf.c, export_*)."""
from typing import TYPE_CHECKING, Callable, Iterable, List, Optional
from xml.etree import ElementTree

from sunlab.smf.fmri import parse
from sunlab.smf.properties import Group, Groups, Prop, first, values
from sunlab.smf.repository import Entity, Instance, Repository, Service

if TYPE_CHECKING:
    from sunlab.smf.svccfg import Session

Element = ElementTree.Element
DTD = "/usr/share/lib/xml/dtd/service_bundle.dtd.1"
ELEMENTS = ("dependency", "method", "template")         # groups of these types have elements of their own
IN_GENERAL = ("enabled", "single_instance", "restarter", "entity_stability")     # said by elements and attributes
IN_DEPENDENCY = ("entities", "grouping", "restart_on", "type")
IN_METHOD = ("exec", "timeout_seconds", "type")
CREDENTIAL = ("user", "group", "supp_groups", "privileges", "limit_privileges")
CONTEXT = ("working_directory", "project", "resource_pool", "security_flags")
IN_CONTEXT = (*CREDENTIAL, *CONTEXT, "use_profile", "profile", "environment")
Guard = Callable[[str, Group], bool]


def document(kind: str, name: str, found: Iterable[Element]) -> str:
    root = Element("service_bundle", {"type": kind, "name": name})
    root.extend(found)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f"<?xml version='1.0'?>\n<!DOCTYPE service_bundle SYSTEM '{DTD}'>\n{body}\n"


def services(session: "Session", found: List[Service], everything: bool) -> List[Element]:
    """Protected values are left out unless `everything` is asked for by who may read them."""
    def shown(name: str, group: Group) -> bool:
        return not values({name: group}, name, "read_authorization") or (
            everything and session.caller.may_read(name, group))
    return [_service(session.repository, service, shown) for service in found]


def enablings(repository: Repository) -> List[Element]:
    """Of every instance whether it is enabled, as a profile says it."""
    found = []
    for service in repository.services.values():
        element = Element("service", {"name": service.name, "type": "service", "version": "0"})
        for instance in service.instances.values():
            told = first(instance.groups, "general", "enabled")
            if told:
                element.append(Element("instance", {"name": instance.name, "enabled": told}))
        if len(element):
            found.append(element)
    return found


def _service(repository: Repository, service: Service, shown: Guard) -> Element:
    element = Element("service", {"name": service.name, "type": "service", "version": "0"})
    plain = [i for i in service.instances.values() if i.name == "default" and _only_enabled(i)]
    if plain:
        told = first(plain[0].groups, "general", "enabled", "false")
        element.append(Element("create_default_instance", {"enabled": told}))
    if first(service.groups, "general", "single_instance") == "true":
        element.append(Element("single_instance"))
    element.extend(_common(repository, service, shown))
    for instance in service.instances.values():
        if instance not in plain:
            inner = Element("instance", {"name": instance.name,
                                         "enabled": first(instance.groups, "general", "enabled", "false")})
            inner.extend([*_common(repository, instance, shown), *_template(instance.groups)])
            element.append(inner)
    if first(service.groups, "general", "entity_stability"):
        element.append(Element("stability", {"value": first(service.groups, "general", "entity_stability")}))
    element.extend(_template(service.groups))
    return element


def _only_enabled(instance: Instance) -> bool:
    kept = {n: g for n, g in instance.groups.items() if g.persistent and n != "manifestfiles"}
    return set(kept) <= {"general"} and set(kept["general"].props if kept else ()) <= {"enabled"}


def _common(repository: Repository, entity: Entity, shown: Guard) -> List[Element]:
    """Of a service or instance, in the DTD's order: restarter, dependencies, dependents, context, methods, groups."""
    groups = {n: g for n, g in entity.groups.items() if g.persistent}
    found = []
    if first(groups, "general", "restarter"):
        element = Element("restarter")
        element.append(Element("service_fmri", {"value": first(groups, "general", "restarter")}))
        found.append(element)
    found += [_dependency(groups, name) for name, group in groups.items()
              if group.type == "dependency" and first(groups, name, "external") != "true"]
    found += _dependents(repository, entity)
    if "method_context" in groups:
        found.append(_context(groups, "method_context"))
    found += [_method(groups, name) for name, group in groups.items() if group.type == "method"]
    for name, group in groups.items():
        if group.type in ELEMENTS or name in ("method_context", "dependents", "manifestfiles"):
            continue
        kept = {n: p for n, p in group.props.items() if name != "general" or n not in IN_GENERAL}
        if kept or name != "general":
            found.append(_group(name, group._replace(props=kept), shown(name, group)))
    return found


def _dependency(groups: Groups, name: str) -> Element:
    element = Element("dependency", {"name": name, **{key: first(groups, name, key) for key in IN_DEPENDENCY[1:]}})
    element.extend(Element("service_fmri", {"value": v}) for v in values(groups, name, "entities"))
    element.extend(_property(n, p) for n, p in groups[name].props.items() if n not in IN_DEPENDENCY)
    return element


def _dependents(repository: Repository, entity: Entity) -> List[Element]:
    found = []
    for name in entity.groups["dependents"].props if "dependents" in entity.groups else ():
        target = first(entity.groups, "dependents", name)
        exact = parse(target)
        other = repository.find(exact) if exact is not None else None
        groups = other.groups if other is not None else {}
        element = Element("dependent", {"name": name, "grouping": first(groups, name, "grouping", "require_all"),
                                        "restart_on": first(groups, name, "restart_on", "none")})
        element.append(Element("service_fmri", {"value": target}))
        found.append(element)
    return found


def _method(groups: Groups, name: str) -> Element:
    element = Element("exec_method", {"name": name, "type": first(groups, name, "type", "method"),
                                      "exec": first(groups, name, "exec"),
                                      "timeout_seconds": first(groups, name, "timeout_seconds", "0")})
    if any(n in IN_CONTEXT for n in groups[name].props):
        element.append(_context(groups, name))
    element.extend(_property(n, p) for n, p in groups[name].props.items() if n not in IN_METHOD + IN_CONTEXT)
    return element


def _context(groups: Groups, name: str) -> Element:
    def told(keys: Iterable[str]) -> "dict[str, str]":
        return {key: first(groups, name, key) for key in keys if values(groups, name, key)}
    element = Element("method_context", told(CONTEXT))
    if first(groups, name, "use_profile") == "true":
        element.append(Element("method_profile", {"name": first(groups, name, "profile")}))
    elif told(CREDENTIAL):
        element.append(Element("method_credential", told(CREDENTIAL)))
    if values(groups, name, "environment"):
        inner = Element("method_environment")
        for variable in values(groups, name, "environment"):
            key, _, value = variable.partition("=")
            inner.append(Element("envvar", {"name": key, "value": value}))
        element.append(inner)
    return element


def _group(name: str, group: Group, shown: bool) -> Element:
    element = Element("property_group", {"name": name, "type": group.type})
    if "stability" in group.props:
        element.append(Element("stability", {"value": group.props["stability"].values[0]}))
    for prop, value in group.props.items():
        if prop != "stability":
            guard = prop.endswith("_authorization")
            element.append(_property(prop, value if shown or guard else value._replace(values=())))
    return element


def _property(name: str, prop: Prop) -> Element:
    if len(prop.values) == 1:
        return Element("propval", {"name": name, "type": prop.type, "value": prop.values[0]})
    element = Element("property", {"name": name, "type": prop.type})
    if prop.values:
        inner = Element(f"{prop.type}_list")
        inner.extend(Element("value_node", {"value": v}) for v in prop.values)
        element.append(inner)
    return element


def _template(groups: Groups) -> List[Element]:
    element = Element("template")
    for tag in ("common_name", "description"):
        if f"tm_{tag}" in groups:
            outer = Element(tag)
            for locale in groups[f"tm_{tag}"].props:
                text = Element("loctext", {"xml:lang": locale.replace("_", "-")})
                text.text = first(groups, f"tm_{tag}", locale)
                outer.append(text)
            element.append(outer)
    pages = [_page(groups, name) for name in groups if name.startswith(("tm_man_", "tm_doc_"))]
    if pages:
        outer = Element("documentation")
        outer.extend(p for p in pages if p is not None)
        element.append(outer)
    return [element] if element.find("common_name") is not None else []


def _page(groups: Groups, name: str) -> Optional[Element]:
    if name.startswith("tm_doc_"):
        return Element("doc_link", {key: first(groups, name, key) for key in ("name", "uri")})
    page = {key: first(groups, name, key) for key in ("title", "section", "manpath")}
    return Element("manpage", page)
