"""Any other source, in FirstReply's own words: review sites, forums, app stores, an aggregator.

docs/contracts has the schemas. `door` is who may come in, `shape` what they say and what we answer
(the source of the schemas), `outbound` how it is answered, `address` where an answer may go.
"""

from firstreply.channels.generic.door import accept, handshake, is_ours, is_signed, parse
from firstreply.channels.generic.outbound import (
    LONGEST_REPLY,
    SETTINGS,
    fetch,
    find_reply,
    price,
    reach,
    send,
    shorten,
)

__all__ = [
    "LONGEST_REPLY",
    "SETTINGS",
    "accept",
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
]
