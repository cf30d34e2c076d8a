"""X, as its webhooks (both families) and its API v2 speak of it.

Facts and their certainty: docs/channels.md. `door` is who may come in, `inbound` what they say,
`outbound` what we say, `length` how X counts, `thread` what takes several posts, `oauth` how it
knows us.
"""

from firstreply.channels.x.door import accept, handshake, is_signed
from firstreply.channels.x.inbound import parse
from firstreply.channels.x.length import LONGEST_REPLY, shorten, weight
from firstreply.channels.x.outbound import (
    SETTINGS,
    charged_as,
    fetch,
    find_reply,
    price,
    reach,
    send,
)
from firstreply.channels.x.thread import split
from firstreply.secrets import is_listed as is_ours

__all__ = [
    "LONGEST_REPLY",
    "SETTINGS",
    "accept",
    "charged_as",
    "fetch",
    "find_reply",
    "handshake",
    "is_ours",
    "is_signed",
    "parse",
    "price",
    "reach",
    "send",
    "shorten",
    "split",
    "weight",
]
