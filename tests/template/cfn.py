"""template.yaml as data: a tag such as !GetAtt becomes {"Fn::GetAtt": …}."""

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


def logical_id(value: Any) -> str:
    """Which resource a !Ref or !GetAtt or !Sub names; of a table's index, its name too."""
    ((function, argument),) = value.items()
    text = argument if isinstance(argument, str) else argument[0]
    name = text.removeprefix("${").split(".")[0] if function != "Ref" else text
    return f"{name}/index" if "/index/" in text else name
