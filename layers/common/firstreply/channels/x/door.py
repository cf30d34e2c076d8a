"""Who may come in: X's challenge-response check and its signature."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from firstreply.channels import Answer, Knock
from firstreply.channels._sign import digest, is_signed_by_any, secrets_of

if TYPE_CHECKING:
    from firstreply.secrets import Section

SIGNATURE = "x-twitter-webhooks-signature"

# X signs its POSTs and this answer with the same key, so whoever may choose the token freely gets
# any body signed by asking here. No JSON object or array consists of these characters alone, and
# what does is taken for no delivery.
_TOKEN = re.compile(rb"[A-Za-z0-9 +/=_.~-]{1,256}")


def handshake(knock: Knock, secret: Section) -> Answer:
    """The challenge-response check: base64 HMAC-SHA256 of `crc_token`, as JSON."""
    token = knock.query.get("crc_token", "").encode("utf-8", "surrogatepass")
    key = next(secrets_of(secret.get("consumer_secrets")), None)
    if key is None or not _TOKEN.fullmatch(token):
        return Answer(403, "crc_token is missing or not one of X's")
    response = base64.b64encode(digest(key, token)).decode()
    return Answer(200, f'{{"response_token":"sha256={response}"}}', "application/json")


def is_signed(knock: Knock, secret: Section) -> bool:
    """`x-twitter-webhooks-signature: sha256=<base64>` under one of the consumer secrets."""
    scheme, _, signature = knock.headers.get(SIGNATURE, "").partition("=")
    if scheme != "sha256" or _TOKEN.fullmatch(knock.body):
        return False
    claimed = _from_base64(signature)
    return is_signed_by_any(secrets_of(secret.get("consumer_secrets")), knock.body, claimed)


def accept(_knock: Knock) -> Answer:
    """X wants nothing but the 200."""
    return Answer(200)


# 32 bytes; other last letters would spell the same bytes a second way.
_DIGEST = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


def _from_base64(text: str) -> bytes | None:
    return base64.b64decode(text) if _DIGEST.fullmatch(text) else None
