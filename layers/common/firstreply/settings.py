"""The environment, read when it is needed and never at import."""

import os
from datetime import UTC, datetime

from firstreply.errors import Misconfigured


def setting(name: str) -> str:
    """The environment variable `name`; Misconfigured says which one is missing."""
    value = os.environ.get(name, "")
    if not value:
        raise Misconfigured(f"environment variable {name} is not set; template.yaml sets it")
    return value


def optional_setting(name: str) -> str:
    """The same for one that may be left empty."""
    return os.environ.get(name, "")


def number(name: str) -> int:
    """A whole number from the environment."""
    value = setting(name)
    try:
        return int(value)
    except ValueError as error:
        raise Misconfigured(f"environment variable {name} holds {value!r}, not a number") from error


def now() -> datetime:
    """The clock that everything is composed with."""
    return datetime.now(UTC)
