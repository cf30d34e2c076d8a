"""The public queues and doors as AsyncAPI 3.0: which contract travels where, and which way.

The schemas stand beside the document, which refers to them; what is in them is not said twice.
"""

from collections.abc import Mapping
from typing import Any

CASES = tuple(
    f"firstreply.case.{what}.v1"
    for what in (
        "opened",
        "updated",
        "reply_sent",
        "reply_refused",
        "closed",
        "reopened",
        "withdrawn",
    )
)
REQUEST, MESSAGE = "firstreply.reply.requested.v1", "firstreply.message.v1"
REPLY, TAKEN = "firstreply.reply.v1", "firstreply.reply.taken.v1"
POSTED_REQUEST = f"{REQUEST}.posted"
SIGNED = (POSTED_REQUEST, MESSAGE, REPLY)

CHANNELS: Mapping[str, tuple[str, ...]] = {
    "EscalationQueue": CASES,
    "ReplyQueue": (REQUEST,),
    "helpdesk": (POSTED_REQUEST,),
    "generic": (MESSAGE,),
    "reply_url": (REPLY, TAKEN),
}


def document(says: Mapping[str, str], samples: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`says` has a sentence for each type, `samples` what is published of it, by a name."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "FirstReply",
            "version": "1",
            "description": "What others may rely on, as FirstReply sees it: it sends and receives."
            " README.md beside this file has the rules that no schema can hold.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": {
                **{name: _message(name, says[name], samples[name]) for name in says},
                POSTED_REQUEST: _posted(says[REQUEST], samples[REQUEST]),
            },
            "schemas": {"signed": _signed()},
        },
    }


def _servers() -> dict[str, Any]:
    return {
        "sqs": {
            "host": "sqs.{region}.amazonaws.com",
            "protocol": "sqs",
            "description": "Amazon SQS in the brand's own account, by IAM",
            "variables": {"region": {"description": "where the stack is"}},
        },
        "api": {
            "host": "{api}.execute-api.{region}.amazonaws.com",
            "protocol": "https",
            "description": "the stack's output ApiUrl",
            "variables": {
                "api": {"description": "the API's id"},
                "region": {"description": "where the stack is"},
            },
        },
        "source": {
            "host": "{host}",
            "protocol": "https",
            "description": "whoever a message's reply_url names",
            "variables": {"host": {"description": "a name on the internet"}},
        },
    }


def _channels() -> dict[str, Any]:
    more: dict[str, dict[str, Any]] = {
        "EscalationQueue": {
            "address": "EscalationQueue",
            "description": "The stack's output EscalationQueueUrl. One group per conversation.",
            "servers": [_ref("servers", "sqs")],
            "bindings": _queue(
                name="EscalationQueue",
                fifoQueue=True,
                deduplicationScope="messageGroup",
                fifoThroughputLimit="perMessageGroupId",
            ),
        },
        "ReplyQueue": {
            "address": "ReplyQueue",
            "description": "The stack's output ReplyQueueUrl.",
            "servers": [_ref("servers", "sqs")],
            "bindings": _queue(name="ReplyQueue", fifoQueue=False),
        },
        "helpdesk": {"address": "/webhooks/helpdesk", "servers": [_ref("servers", "api")]},
        "generic": {"address": "/webhooks/generic", "servers": [_ref("servers", "api")]},
        "reply_url": {
            "address": None,
            "description": "The reply_url of the message that is answered.",
            "servers": [_ref("servers", "source")],
        },
    }
    return {
        channel: more[channel]
        | {"messages": {name: _ref("components", "messages", name) for name in names}}
        for channel, names in CHANNELS.items()
    }


def _operations() -> dict[str, Any]:
    return {
        "tellCases": _operation(
            "send", "EscalationQueue", "Tell a helpdesk what becomes of a case."
        ),
        "takeRequests": _operation("receive", "ReplyQueue", "Say or close what an agent asks for."),
        "takePostedRequests": _operation(
            "receive", "helpdesk", "The same by HTTP: 200 says that it is kept."
        ),
        "takeMessages": _operation(
            "receive", "generic", "Messages of other sources: 200 says that they are kept."
        ),
        "postReply": _operation("send", "reply_url", "Answer a message where it wants it.", REPLY)
        | {
            "reply": {
                "channel": _ref("channels", "reply_url"),
                "messages": [_ref("channels", "reply_url", "messages", TAKEN)],
            }
        },
    }


def _operation(action: str, channel: str, summary: str, *names: str) -> dict[str, Any]:
    by_http = channel not in ("EscalationQueue", "ReplyQueue")
    http = {"bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}}}
    return {
        "action": action,
        "channel": _ref("channels", channel),
        "summary": summary,
        "messages": [
            _ref("channels", channel, "messages", name) for name in names or CHANNELS[channel]
        ],
        **(http if by_http else {}),
    }


def _message(name: str, says: str, samples: Mapping[str, Any]) -> dict[str, Any]:
    is_event = name in (*CASES, REQUEST)
    return {
        "name": name,
        "summary": says,
        "contentType": "application/cloudevents+json" if is_event else "application/json",
        **({"headers": _ref("components", "schemas", "signed")} if name in SIGNED else {}),
        "payload": _schema(name),
        "examples": [{"name": one, "payload": sample} for one, sample in samples.items()],
    }


def _posted(says: str, samples: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a POST: one request, or a list of them."""
    several = {"type": "array", "minItems": 1, "items": _schema(REQUEST)}
    examples = {**samples, "several": list(samples.values())}
    return _message(POSTED_REQUEST, says, examples) | {
        "name": REQUEST,
        "contentType": "application/cloudevents+json",
        "payload": {"anyOf": [_schema(REQUEST), several]},
    }


def _signed() -> dict[str, Any]:
    headers = {
        "webhook-id": "of the delivery; no full stop in it",
        "webhook-timestamp": "seconds since 1970, within five minutes of now",
        "webhook-signature": "v1,<base64> once or more, with spaces between",
    }
    return {
        "type": "object",
        "description": "Standard Webhooks (standardwebhooks.com)",
        "required": list(headers),
        "properties": {
            name: {"type": "string", "description": what} for name, what in headers.items()
        },
    }


def _queue(**queue: object) -> dict[str, Any]:
    return {"sqs": {"queue": queue, "bindingVersion": "0.2.0"}}


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"./{name}.schema.json"}


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}
