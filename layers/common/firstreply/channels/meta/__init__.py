"""Facebook, Messenger and Instagram, as Meta's Graph API and webhooks speak of them.

Facts and their certainty: docs/channels.md. `door` is who may come in, `inbound` what they say,
`outbound` what we say, `refusals` how Graph says no.
"""

from firstreply.channels.meta.door import accept, handshake, is_signed
from firstreply.channels.meta.inbound import parse
from firstreply.channels.meta.outbound import (
    LONGEST_REPLY,
    SETTINGS,
    fetch,
    find_reply,
    price,
    reach,
    send,
    shorten,
)
from firstreply.secrets import is_listed as is_ours

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
