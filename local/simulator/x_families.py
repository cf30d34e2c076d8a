"""What X tells of the account's own doings, in the words of either family."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from local.simulator import x_old_wire as old
from local.simulator import x_wire as new
from local.simulator.accounts import Profile
from local.simulator.common import Json
from local.simulator.places import Family
from local.simulator.world import Kind, Reply

ECHOES: Final[dict[tuple[Kind, Family], Callable[[Reply, Profile], Json]]] = {
    ("post", "xaa"): new.post_echo,
    ("post", "aaa"): old.post_echo,
    ("direct_message", "xaa"): new.direct_echo,
    ("direct_message", "aaa"): old.direct_echo,
}
DELETED: Final[dict[Family, Callable[[str, str, str], Json]]] = {
    "xaa": new.post_deleted,
    "aaa": old.post_deleted,
}
REVOKED: Final[dict[Family, Callable[[str, datetime], Json]]] = {
    "xaa": new.revoked,
    "aaa": old.revoked,
}
