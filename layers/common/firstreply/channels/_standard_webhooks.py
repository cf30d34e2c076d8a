"""Standard Webhooks (standardwebhooks.com): who signs their deliveries by it, and how we do.

`webhook-signature` holds `v1,<base64>` as often as there are secrets: the SHA-256 HMAC of
`<webhook-id>.<webhook-timestamp>.<body>`. A section's `secrets` are `whsec_<base64>`.
"""

import base64
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from firstreply.channels import Knock
from firstreply.channels._sign import digest, secrets_of
from firstreply.errors import Refuse
from firstreply.secrets import Section

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
# Either way, since clocks differ. What is replayed within it is the same delivery (inbox.py).
TOLERANCE = timedelta(minutes=5)
# What the specification asks of a secret: less could be guessed.
FEWEST_BYTES = 24
_PREFIX = b"whsec_"
# No full stop: what is signed must not be read in two ways.
_ID = re.compile(r"[!-\-/-~]{1,500}")
_SECONDS = re.compile(r"[0-9]{1,12}")


def is_signed(knock: Knock, secret: Section) -> bool:
    """Whether one of the section's secrets signed exactly these bytes, just now. Never raises."""
    one, stamp = knock.headers.get(ID, ""), knock.headers.get(TIMESTAMP, "")
    if not _ID.fullmatch(one) or not _SECONDS.fullmatch(stamp) or not _is_now(int(stamp), knock.at):
        return False
    claimed = knock.headers.get(SIGNATURE, "").encode("utf-8", "surrogatepass").split(b" ")
    # Once for each secret: a stranger may claim a thousand.
    good = [_signature(key, one, stamp, knock.body) for key in _keys(secret)]
    return any(hmac.compare_digest(ours, claim) for ours in good for claim in claimed)


def signed(secret: Section, one: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The headers of a delivery with that id, signed with every current secret, so that the other
    side can change to the new one whenever it likes. Refuse if there is none."""
    stamp = str(int(at.timestamp()))
    signatures = [_signature(key, one, stamp, body).decode() for key in _keys(secret)]
    if not signatures:
        raise Refuse("no usable secret to sign with")
    return {ID: one, TIMESTAMP: stamp, SIGNATURE: " ".join(signatures)}


def _is_now(seconds: int, at: datetime | None) -> bool:
    return at is not None and abs(at.timestamp() - seconds) <= TOLERANCE.total_seconds()


def _signature(key: bytes, one: str, stamp: str, body: bytes) -> bytes:
    return b"v1," + base64.b64encode(digest(key, f"{one}.{stamp}.".encode() + body))


def _keys(secret: Section) -> Iterator[bytes]:
    for text in secrets_of(secret.get("secrets")):
        try:
            key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except ValueError:
            continue
        if text.startswith(_PREFIX) and len(key) >= FEWEST_BYTES:
            yield key
