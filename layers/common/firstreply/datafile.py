"""YAML that a person wrote, as a checked model: what is wrong is named by file, line and place."""

import re
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from firstreply.errors import Misconfigured

type Path = tuple[int | str, ...]

# Nothing of ours is half as deep.
_DEEPEST = 20

# Nowhere else does YAML know one.
_MAY_BE_ANCHOR = re.compile(r"(?:^|[\s\[{,:?-])&\S")

_MAP, _SEQUENCE, _TEXT = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str"))

# libyaml's, where there is one: ten times as fast, and a cold start reads every language.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Wrong(ValueError):
    """A validator's complaint about what is at `path` below the model it stands in."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path = path


def parse[T: BaseModel](name: str, text: str, shape: type[T]) -> T:
    """Misconfigured says `name:line: place: what is wrong`, for each that is."""
    try:
        tree, data = _read(text)
        return shape.model_validate(data)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Misconfigured(f"{name}:{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise Misconfigured(f"{name}: {type(error).__name__}") from error
    except ValidationError as error:
        found = [(_path(one), _reason(one)) for one in error.errors()]
        raise Misconfigured(
            "; ".join(located(name, tree, path, reason) for path, reason in found)
        ) from error


def located(name: str, tree: yaml.Node | None, path: Path, reason: str) -> str:
    """One complaint, where it is to be mended."""
    place = ".".join(map(str, path))
    return f"{name}:{line_of(tree, path)}: {place + ': ' if place else ''}{reason}"


def line_of(tree: yaml.Node | None, path: Path) -> int:
    """Where the thing at `path` begins, counted from 1; if it is missing, what it is missing in."""
    line = tree.start_mark.line if tree else 0
    for step in path:
        begins, tree = _below(tree, step)
        if begins is None:
            break
        line = begins.start_mark.line
    return line + 1


def tree_of(text: str) -> yaml.Node | None:
    return _read(text)[0]


def _read(text: str) -> tuple[yaml.Node | None, Any]:
    """Each file once for its tree and once for its values, since a cold start waits for it."""
    if _MAY_BE_ANCHOR.search(text):  # without any, a * stands for nothing: the loader says so
        _refuse_mazes(text)
    loader = _Shallow(text)
    try:
        tree = loader.get_single_node()
        return tree, _value(loader, tree) if tree else None
    except yaml.MarkedYAMLError:
        _refuse_mazes(text)
        raise
    finally:
        loader.dispose()


class _Shallow(_Loader):  # type: ignore[misc, valid-type]  # libyaml's, or Python's
    """It goes down by recursion, so not into any depth."""

    depth = 0

    def descend_resolver(self, *_: object) -> None:
        """Before each node. (What a resolver does there is for paths, of which we have none.)"""
        self.depth += 1
        if self.depth > _DEEPEST + 1:  # what lies in the deepest list, too
            raise yaml.MarkedYAMLError(problem="too deep")

    def ascend_resolver(self) -> None:
        self.depth -= 1


def _refuse_mazes(text: str) -> None:
    """What stands for something else may stand for itself, or for more than there is room for."""
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _wrong_at(
                event, "& and * make anchors and aliases: write it out, or put it in quotes"
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _wrong_at(event, f"more than {_DEEPEST} lists within one another")


def _value(loader: Any, node: yaml.Node) -> Any:  # noqa: ANN401
    """As the loader makes it, but without twins; what is usual by a shorter way."""
    if node.tag == _MAP and isinstance(node, yaml.MappingNode):
        _refuse_twins(node)
        return {_value(loader, key): _value(loader, value) for key, value in node.value}
    if node.tag == _SEQUENCE and isinstance(node, yaml.SequenceNode):
        return [_value(loader, one) for one in node.value]
    if node.tag == _TEXT and isinstance(node, yaml.ScalarNode):
        return node.value
    try:
        return loader.construct_object(node, deep=True)
    except ValueError as error:  # a date that there is not
        raise _wrong_at(node, f"{node.value}: {error}") from error


def _refuse_twins(node: yaml.MappingNode) -> None:
    """YAML's readers drop the first of two equal keys, silently. And `{{brand}}` without quotes is
    a mapping as a key."""
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _wrong_at(key, "braces or brackets where a name is wanted: put it in quotes")
        if key.value in seen:
            raise _wrong_at(key, f"{key.value!r} stands here twice")
        seen.add(key.value)


def _wrong_at(place: Any, problem: str) -> yaml.MarkedYAMLError:  # noqa: ANN401  # node or event
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


def _reason(error: Any) -> str:  # noqa: ANN401  # pydantic's ErrorDetails, whose input is any
    """In words for who knows YAML, and not what reads it."""
    reason: str = _WANTED.get(error["type"]) or error["msg"]
    return reason.removeprefix("Value error, ")


_LIST, _NAMES = "a list is wanted", "names with values are wanted, as in `name: value`"
_WANTED = {
    **dict.fromkeys(("tuple_type", "list_type", "frozen_set_type", "set_type"), _LIST),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), _NAMES),
    "string_type": "a text is wanted: put it in quotes",
    "bool_type": "true or false is wanted",
    "missing": "it is missing",
    "extra_forbidden": "there is no such name here",
}


def _path(error: Any) -> Path:  # noqa: ANN401  # pydantic's ErrorDetails, whose ctx is any
    wrong = error.get("ctx", {}).get("error")
    return (*error["loc"], *(wrong.path if isinstance(wrong, Wrong) else ()))


def _below(tree: yaml.Node | None, step: int | str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """Where the child begins (a mapping's at its key), and the child; Nones if there is none."""
    if isinstance(tree, yaml.MappingNode):
        for key, value in tree.value:
            if key.value == step:
                return key, value
    if isinstance(tree, yaml.SequenceNode) and isinstance(step, int) and step < len(tree.value):
        return tree.value[step], tree.value[step]
    return None, None
