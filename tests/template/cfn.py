"""template.yaml as data: a tag such as !GetAtt becomes {"Fn::GetAtt": …}."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


class _Loader(yaml.SafeLoader):
    pass


def _tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            raise TypeError(f"no such node: {node}")
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tag)


def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(  # a SafeLoader
        (ROOT / "template.yaml").read_text("utf-8"), _Loader
    )
    return loaded


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a type, by logical id."""
    return {
        name: one.get("Properties", {})
        for name, one in template()["Resources"].items()
        if one["Type"] == kind
    }


def with_parameters(value: Any, **given: str) -> Any:
    """What is there with these parameters, or else their defaults: every !If is decided."""
    if isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        chosen = yes if _holds(template()["Conditions"][condition], given) else no
        return with_parameters(chosen, **given)
    if isinstance(value, dict):
        return {name: with_parameters(one, **given) for name, one in value.items()}
    if isinstance(value, list):
        found = [with_parameters(one, **given) for one in value]
        return [one for one in found if one != {"Ref": "AWS::NoValue"}]
    return value


def text(value: Any, **given: str) -> Any:
    """The string that a !Sub, !Join, !Select and !Split make of parameters."""
    match value:
        case {"Fn::Sub": pattern}:
            return re.sub(r"\${([^}]+)}", lambda found: _parameter(found[1], given), pattern)
        case {"Fn::Join": [between, parts]}:
            return between.join(text(parts, **given))
        case {"Fn::Select": [index, parts]}:
            return text(parts, **given)[int(index)]
        case {"Fn::Split": [between, whole]}:
            return text(whole, **given).split(between)
        case list():
            return [text(one, **given) for one in value]
    return value


def _holds(condition: Any, given: dict[str, str]) -> bool:
    match condition:
        case {"Fn::Not": [other]}:
            return not _holds(other, given)
        case {"Fn::Equals": [{"Ref": name}, other]}:
            return _parameter(name, given) == str(other)
    raise TypeError(f"no such condition: {condition}")


def _parameter(name: str, given: dict[str, str]) -> str:
    return str(given[name] if name in given else template()["Parameters"][name]["Default"])


def logical_id(value: Any) -> str:
    """Which resource a !Ref or !GetAtt or !Sub names; of a table's index, its name too."""
    ((function, argument),) = value.items()
    text = argument if isinstance(argument, str) else argument[0]
    name = text.removeprefix("${").split(".")[0] if function != "Ref" else text
    return f"{name}/index" if "/index/" in text else name
