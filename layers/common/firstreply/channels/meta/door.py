"""Who may come in: Meta's handshake, its signature, and its data deletion callback."""

from __future__ import annotations

import base64
import hmac
import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from firstreply.channels import Answer, Knock
from firstreply.channels._sign import is_signed_by_any, secrets_of

if TYPE_CHECKING:
    from firstreply.secrets import Section

SIGNATURE = "x-hub-signature-256"
DELETION = b"signed_request="


def handshake(knock: Knock, secret: Section) -> Answer:
    """`hub.challenge`, unchanged and bare, to who knows our verify token; 403 to anybody else.

    Also the page to which a person who asked for deletion is sent.
    """
    if code := knock.query.get("deletion"):
        return Answer(200, _about_deletion(code, knock.kept_days))
    expected = secret.get("verify_token")
    given = knock.query.get("hub.verify_token", "")
    if (
        isinstance(expected, str)
        and expected
        and knock.query.get("hub.mode") == "subscribe"
        and hmac.compare_digest(_bytes(given), _bytes(expected))
    ):
        return Answer(200, knock.query.get("hub.challenge", ""))
    return Answer(403, "verify token does not match")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def is_signed(knock: Knock, secret: Section) -> bool:
    """`X-Hub-Signature-256: sha256=<64 hex digits>` under one of the app secrets.

    The SHA-1 header is not looked at: it would let an attacker choose the weaker hash. The data
    deletion callback signs itself instead.
    """
    secrets = secrets_of(secret.get("app_secrets"))
    if knock.body.startswith(DELETION):
        signature, _, payload = signed_request(knock.body).partition(".")
        return is_signed_by_any(secrets, _bytes(payload), _from_base64url(signature))
    scheme, _, signature = knock.headers.get(SIGNATURE, "").partition("=")
    return is_signed_by_any(
        secrets, knock.body, _from_hex(signature) if scheme == "sha256" else None
    )


def accept(knock: Knock) -> Answer:
    """Meta wants nothing but the 200, except for a deletion: where its person can ask, and for
    what. The code is the same for the same request."""
    if not knock.body.startswith(DELETION):
        return Answer(200)
    code = sha256(knock.body).hexdigest()[:16]
    body = {"url": f"{knock.address}?deletion={quote(code)}", "confirmation_code": code}
    return Answer(200, json.dumps(body), "application/json")


def signed_request(body: bytes) -> str:
    """`<signature>.<payload>`, both base64url, out of a form with this one field."""
    try:
        form = parse_qs(body.decode("latin-1"), max_num_fields=5)
    except ValueError:
        return ""
    return form.get("signed_request", [""])[0]


def _about_deletion(code: str, kept_days: int) -> str:
    shown = code if re.fullmatch(r"[0-9a-f]{16}", code) else "unknown"
    return (
        f"Request {shown}: whoever was given this code asked us to erase their messages. That is"
        " done within minutes of the request; copies of deliveries as they came in expire by"
        f" themselves {kept_days} days after they came."
    )


def _from_hex(text: str) -> bytes | None:
    """In Meta's own spelling only, so that one signature has one."""
    return bytes.fromhex(text) if re.fullmatch(r"[0-9a-f]{64}", text) else None


def _from_base64url(text: str) -> bytes | None:
    """32 bytes; another last letter would spell the same bytes a second way."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]=?", text):
        return None
    return base64.urlsafe_b64decode(text.rstrip("=") + "=")
