"""What an agent says or closes, as `firstreply.reply.requested.v1`, and two ways to FirstReply."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx

from examples.helpdesk.seam import Down, Entry, Refused, Ticket

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_TEXT = 50_000  # characters; FirstReply sets a longer one aside
# What it will not take later either.
NEVER = {400: "it cannot be read", 413: "it is too large"}
WHAT_TO_DO = {
    401: "FIRSTREPLY_SECRET is none of helpdesk.secrets, or the time is wrong here",
    404: "FIRSTREPLY_URL is not <ApiUrl>/webhooks/helpdesk",
}


def answer(key: str, source: str, ticket: Ticket, in_reply_to: str, entry: Entry) -> dict[str, Any]:
    """The CloudEvent; the same at every try, so FirstReply says it once."""
    author = {"kind": "agent", "name": entry.by}
    data = {"in_reply_to": in_reply_to, "text": entry.text.strip(), "author": author}
    return _requested(key, source, ticket.conversation, entry.at, data)


def closing(key: str, source: str, ticket: Ticket, seen: str) -> dict[str, Any]:
    """The case is closed, with nothing more to say; `seen` is the last message that the agent
    saw: if the customer has written since, FirstReply opens it again."""
    data = {"in_reply_to": seen, "author": {"kind": "agent"}, "close_case": True}
    return _requested(key, source, ticket.conversation, ticket.entries[-1].at, data)


def check(event: Mapping[str, Any]) -> None:
    """Refused, what FirstReply would set aside without telling."""
    text = event["data"].get("text", "")
    if len(text) > LONGEST_TEXT:
        raise Refused(f"{len(text)} of at most {LONGEST_TEXT} characters")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise Refused("it has a character that cannot be written")


def _requested(
    key: str, source: str, conversation: Mapping[str, str], at: datetime, data: dict[str, Any]
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": key,
        "source": source,
        "type": "firstreply.reply.requested.v1",
        "time": at.isoformat(),
        "subject": "#".join(conversation[name] for name in ("channel", "account", "customer")),
        "datacontenttype": "application/json",
        "data": {"conversation": dict(conversation), **data},
    }


@dataclass(frozen=True)
class ByQueue:
    """For a worker that has a role in AWS: sqs:SendMessage on the ReplyQueue."""

    sqs: SQSClient
    queue_url: str

    def send(self, event: dict[str, Any]) -> None:
        self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=json.dumps(event))


@dataclass(frozen=True)
class ByHttp:
    """For one that has none: POST <ApiUrl>/webhooks/helpdesk, signed by the Standard Webhooks
    scheme. `secret` is `whsec_` and base64."""

    http: httpx.Client
    url: str
    secret: str

    def send(self, event: dict[str, Any]) -> None:
        """Refused what is never taken, Down what is not taken now."""
        body = json.dumps(event)
        sent_at = str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        digest = hmac.new(key, f"{event['id']}.{sent_at}.{body}".encode(), sha256).digest()
        headers = {
            "content-type": "application/json",
            "webhook-id": event["id"],
            "webhook-timestamp": sent_at,
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }
        try:
            status = self.http.post(self.url, content=body, headers=headers).status_code
        except httpx.HTTPError as error:
            raise Down(f"FirstReply: {type(error).__name__}") from None
        if status in NEVER:
            raise Refused(f"{status}, {NEVER[status]}")
        if not 200 <= status < 300:
            raise Down(f"FirstReply: {status} {WHAT_TO_DO.get(status, '')}".rstrip())
