"""The sample events of events/, and who signs them."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import settings

from firstreply.channels import Channel, Knock, channel
from firstreply.message import Message

# A busy machine is no reason to fail.
quick = settings(deadline=None, max_examples=60)

ROOT = Path(__file__).parents[3]
SAMPLES = {
    f"{path.parent.name}/{path.name}": path.read_bytes() for path in ROOT.glob("events/*/*.*")
}
# What is no JSON, and signed in itself.
FORMS = {name: body for name, body in SAMPLES.items() if not name.endswith(".json")}


def named(name: str) -> Channel:
    found = channel(name)
    assert found is not None
    return found


def of(name: str) -> list[bytes]:
    """A channel's samples in JSON."""
    known = SAMPLES.keys() - FORMS.keys()
    return [SAMPLES[path] for path in sorted(known) if path.startswith(f"{name}/")]


def messages(name: str) -> list[Message]:
    """The messages in a channel's samples; those of edits not."""
    updates = [update for body in of(name) for update in named(name).parse(body)]
    return [update for update in updates if isinstance(update, Message)]


def body(value: object) -> bytes:
    return json.dumps(value).encode()


# The platforms' side of a signature, as their pages tell it: not a line of it is FirstReply's.


def _sha256(key: str, body: bytes) -> bytes:
    return hmac.new(key.encode(), body, sha256).digest()


def meta_header(key: str, body: bytes) -> str:
    return f"sha256={_sha256(key, body).hex()}"


def x_header(key: str, body: bytes) -> str:
    return f"sha256={base64.b64encode(_sha256(key, body)).decode()}"


HEADER = {
    "meta": "x-hub-signature-256",
    "x": "x-twitter-webhooks-signature",
}
SECRETS = {
    "meta": "app_secrets",
    "x": "consumer_secrets",
    "generic": "secrets",
    "helpdesk": "secrets",
}
SIGN: Mapping[str, Callable[[str, bytes], str]] = {
    "meta": meta_header,
    "x": x_header,
}


def standard_headers(
    key: str, body: bytes, *, one: str = "msg_1", at: datetime | None = None
) -> dict[str, str]:
    """Standard Webhooks: `key` is `whsec_<base64>`."""
    stamp = str(int((at or datetime.now(UTC)).timestamp()))
    secret = base64.b64decode(key.removeprefix("whsec_"))
    content = f"{one}.{stamp}.".encode() + body
    signature = base64.b64encode(hmac.new(secret, content, sha256).digest()).decode()
    return {
        "webhook-id": one,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
    }


def sealed(name: str, key: str, body: bytes) -> dict[str, str]:
    """The headers with which a delivery comes now."""
    if name in SIGN:
        return {HEADER[name]: SIGN[name](key, body)}
    return standard_headers(key, body)


def knock(name: str, body: bytes, header: str | None) -> Knock:
    return Knock(headers={} if header is None else {HEADER[name]: header}, body=body)


def section(name: str, *keys: Any) -> dict[str, Any]:
    """The channel's section of the secret with those signing keys."""
    return {SECRETS[name]: list(keys)}
