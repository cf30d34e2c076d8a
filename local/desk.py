"""Who stands at the two doors that take what is signed by Standard Webhooks: a site with reviews,
and a helpdesk."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from firstreply.channels._standard_webhooks import signed
from firstreply.contracts import Author, CaseClosed, ReplyRequest, ReplyRequested
from local.simulator import DEMO_SECRET
from local.stack import LocalStack


def knock(stack: LocalStack, door: str, one: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Post it under that id; how it was answered, and how soon."""
    body = json.dumps(told).encode()
    headers = signed(DEMO_SECRET[door], one, datetime.now(UTC), body)
    url, started = f"{stack.api_url}/webhooks/{door}", time.perf_counter()
    answer = httpx.post(url, content=body, headers=dict(headers), timeout=90)
    ms = round((time.perf_counter() - started) * 1000, 1)
    return {"status": answer.status_code, "ms": ms}


def review(author: str, text: str) -> dict[str, Any]:
    """One star, new and without a reply_url: FirstReply posts to no machine that is not on the
    internet, so not to this one."""
    return {
        "source": "google_business",
        "account": "locations/4200",
        "id": f"reviews/{uuid4().hex}",
        "author": {"id": author, "name": author},
        "sent_at": datetime.now(UTC).isoformat(),
        "text": text,
        "kind": "review",
        "rating": {"value": 1},
    }


@dataclass
class Helpdesk:
    """It reads the EscalationQueue with nothing but SQS; `events` is all that it has read."""

    stack: LocalStack
    events: list[dict[str, Any]] = field(default_factory=list)

    def read(self) -> bool:
        """Take what lies there now, ten at most; False if nothing did."""
        sqs, url = self.stack.sqs, self.stack.outputs["EscalationQueueUrl"]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self.events.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bool(found)

    def case_of(self, message_id: str) -> dict[str, Any] | None:
        """The event in which that message came."""
        return next(
            (e for e in self.events if e["data"].get("message", {}).get("id") == message_id), None
        )

    def answer(self, case: Mapping[str, Any], agent: str, text: str) -> dict[str, Any]:
        """Say it to the customer, and close the case with it."""
        data = case["data"]
        event = ReplyRequested(
            id=uuid4().hex,
            source="helpdesk",
            time=datetime.now(UTC),
            data=ReplyRequest(
                conversation=data["conversation"],
                in_reply_to=data["message"]["id"],
                text=text,
                author=Author(kind="agent", name=agent),
                close_case=True,
            ),
        )
        return knock(self.stack, "helpdesk", event.id, event.model_dump(mode="json"))

    def is_closed(self, case: Mapping[str, Any]) -> bool:
        closed = CaseClosed.model_fields["type"].default
        mine = [e for e in self.events if e["data"]["case_id"] == case["data"]["case_id"]]
        return any(one["type"] == closed for one in mine)
