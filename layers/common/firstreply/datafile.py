"""YAML that a person wrote, as a checked model: what is wrong is named by file, line and place."""

from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from firstreply.errors import Misconfigured

type Path = tuple[int | str, ...]

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
        found = [(_path(one), one["msg"].removeprefix("Value error, ")) for one in error.errors()]
        raise Misconfigured(
            "; ".join(located(name, tree, path, reason) for path, reason in found)
        ) from error
    except ValueError as error:  # a date that there is not
        raise Misconfigured(f"{name}: {error}") from error


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
    loader = _Loader(text)
    try:
        tree = loader.get_single_node()
        _refuse_twins(tree)
        return tree, loader.construct_document(tree) if tree else None
    finally:
        loader.dispose()


def _refuse_twins(tree: yaml.Node | None) -> None:
    """YAML's readers drop the first of two equal keys, silently."""
    if isinstance(tree, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in tree.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value!r} stands here twice", problem_mark=key.start_mark
                )
            if isinstance(key, yaml.ScalarNode):
                seen.add(key.value)
            _refuse_twins(value)
    elif isinstance(tree, yaml.SequenceNode):
        for one in tree.value:
            _refuse_twins(one)


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
