"""Is a bundle as service_bundle.dtd.1 wants it? Pure. libxml2 answers that in svccfg, as long as it is no profile.

The DTD that both systems have in common: elements in their order, their attributes, and what these may be.
"""
import re
from typing import Dict, Iterator, List, Tuple
from xml.etree.ElementTree import Element

PATH = "/usr/share/lib/xml/dtd/service_bundle.dtd.1"
_DOCTYPE = re.compile(r"<!DOCTYPE\s+\S+(?:\s+SYSTEM\s+[\"']([^\"']*)[\"'])?")
_TRUTH = "true|false"
_TYPES = ("count|integer|opaque|host|hostname|net_address|net_address_v4|net_address_v6|time|astring|ustring|boolean|"
          "fmri|uri")
_LISTS = [f"{kind}_list" for kind in _TYPES.split("|")]
_GROUPING, _RESTART = "require_all|require_any|exclude_all|optional_all", "error|restart|refresh|none"
_PROPERTIES = "stability? (propval|property)*"
_ENTITY = "restarter? dependency* dependent* method_context? exec_method* notification_parameters* property_group*"

# What each element holds, and its attributes: NAME any value, NAME=A|B one of these; with ? it may be missing.
_ELEMENTS: Dict[str, Tuple[str, str]] = {
    "service_bundle": ("(service_bundle*|service*|include*)", "type name"),
    "include": ("fallback", "href parse?=xml|text encoding?"), "fallback": ("", ""),
    "service": (f"create_default_instance? single_instance? {_ENTITY} instance* stability? template?",
                "name version type=service|restarter|milestone"),
    "instance": (f"{_ENTITY} template?", f"name enabled={_TRUTH}"),
    "create_default_instance": ("", f"enabled={_TRUTH}"), "single_instance": ("", ""),
    "restarter": ("service_fmri", ""), "service_fmri": ("", "value"),
    "dependency": (f"service_fmri* {_PROPERTIES}",
                   f"name grouping={_GROUPING} restart_on={_RESTART} type delete?={_TRUTH}"),
    "dependent": (f"service_fmri {_PROPERTIES}",
                  f"name grouping={_GROUPING} restart_on={_RESTART} delete?={_TRUTH} override?={_TRUTH}"),
    "exec_method": (f"method_context? {_PROPERTIES}",
                    f"type=method|monitor name exec timeout_seconds delete?={_TRUTH}"),
    "method_context": ("(method_profile|method_credential)? method_environment?",
                       "security_flags? working_directory? project? resource_pool?"),
    "method_profile": ("", "name"),
    "method_credential": ("", "user group? supp_groups? privileges? limit_privileges?"),
    "method_environment": ("envvar+", ""), "envvar": ("", "name value"),
    "property_group": (_PROPERTIES, f"name type delete?={_TRUTH}"),
    "propval": ("", f"name type={_TYPES} value override?={_TRUTH}"),
    "property": (f"({'|'.join(_LISTS)})?", f"name type={_TYPES} override?={_TRUTH}"),
    "value_node": ("", "value"),
    "stability": ("", "value=Standard|Stable|Evolving|Unstable|External|Obsolete"),
    "notification_parameters": ("event type+", ""), "event": ("", "value"),
    "type": ("(parameter|paramval)*", f"name active?={_TRUTH}"), "parameter": ("value_node*", "name"),
    "paramval": ("", "name value"),
    "template": ("common_name description? documentation? pg_pattern*", ""),
    "common_name": ("loctext+", ""), "description": ("loctext+", ""), "units": ("loctext+", ""),
    "loctext": ("", "lang"), "documentation": ("(doc_link|manpage)*", ""), "doc_link": ("", "name uri"),
    "manpage": ("", "title section manpath?"),
    "pg_pattern": ("common_name? description? prop_pattern*",
                   f"name? type? required?={_TRUTH} target?=this|instance|delegate|all"),
    "prop_pattern": ("common_name? description? units? visibility? cardinality? internal_separators? values? "
                     "constraints? choices?", f"name type?={_TYPES} required?={_TRUTH}"),
    "visibility": ("", "value=hidden|readonly|readwrite"), "cardinality": ("", "min? max?"),
    "internal_separators": ("", ""), "values": ("value+", ""), "value": ("common_name? description?", "name"),
    "constraints": ("value* range*", ""), "range": ("", "min max"),
    "choices": ("value* range* include_values*", ""), "include_values": ("", "type=constraints|values"),
    **dict.fromkeys(_LISTS, ("value_node+", ""))}
_WITH_TEXT = ("loctext", "internal_separators")


def system_of(text: str) -> "str | None":
    """What the document's DOCTYPE names; None where it has none, "" where it names nothing."""
    found = _DOCTYPE.search(text)
    return None if found is None else found.group(1) or ""


def faults(root: Element) -> Iterator[str]:
    """What is not valid, one after the other."""
    for element in root.iter():
        name = bare(element.tag)
        if name not in _ELEMENTS:
            yield f"No declaration for element {name}"
            continue
        content, attributes = _ELEMENTS[name]
        children = "".join(f"{bare(child.tag)} " for child in element)
        if not re.fullmatch(_pattern(content), children):
            yield (f"Element {name} content does not follow the DTD, expecting ({content}), got "
                   f"({children.strip()})")
        texts = [element.text, *(child.tail for child in element)]
        if name not in _WITH_TEXT and any((text or "").strip() for text in texts):
            yield f"Element {name} content does not follow the DTD, got CDATA"
        yield from _attributes(name, attributes.split(), {bare(key): value for key, value in element.attrib.items()})


def bare(name: str) -> str:
    return name.rpartition("}")[2]


def _pattern(content: str) -> str:
    """`a? (b|c)*` as a regular expression over names with a blank behind each."""
    return re.sub(r"(\w+)", "(?:\\1\0)", content).replace(" ", "").replace("\0", " ")


def _attributes(name: str, wanted: List[str], given: Dict[str, str]) -> Iterator[str]:
    known = []
    for one in wanted:
        key, _, choice = one.partition("=")
        known.append(key.rstrip("?"))
        value = given.get(key.rstrip("?"))
        if value is None and not key.endswith("?"):
            yield f"Element {name} does not carry attribute {key}"
        elif value is not None and choice and value not in choice.split("|"):
            yield f'Value "{value}" for attribute {key.rstrip("?")} of {name} is not among the enumerated set'
    for key in given:
        if key not in known and key not in ("base", "noNamespaceSchemaLocation"):
            yield f"No declaration for attribute {key} of element {name}"
