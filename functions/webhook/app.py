"""GET|POST /webhooks/{channel}: the door that platforms knock at."""

import base64
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from firstreply import aws
from firstreply.channels import Knock
from firstreply.inbox import Inbox
from firstreply.observe import observed
from firstreply.secrets import Secrets
from firstreply.settings import now, number, setting
from functions.webhook.door import Door


@cache
def door() -> Door:
    retention = timedelta(days=number("INBOX_RETENTION_DAYS"))
    return Door(
        inbox=Inbox(aws.dynamodb_client(), setting("INBOX_TABLE"), retention),
        secrets=Secrets(aws.secretsmanager(), setting("SECRET_ARN"), now),
        clock=now,
    )


@observed
def handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """An HTTP API request (payload format 2.0) in, its response out."""
    knock = replace(_knock(event), kept_days=number("INBOX_RETENTION_DAYS"))
    answer = door().answer(
        event["requestContext"]["http"]["method"], event["pathParameters"]["channel"], knock
    )
    return {
        "statusCode": answer.status,
        "headers": {"content-type": answer.content_type},
        "body": answer.body,
    }


def _knock(event: dict[str, Any]) -> Knock:
    """The exact bytes that were signed: the gateway encodes what it does not take for text."""
    body = event.get("body") or ""
    encoded = event.get("isBase64Encoded", False)
    context = event["requestContext"]
    return Knock(
        at=now(),
        address=f"https://{context.get('domainName', '')}{context['http']['path']}",
        headers={name.lower(): value for name, value in event.get("headers", {}).items()},
        query=event.get("queryStringParameters") or {},
        body=base64.b64decode(body) if encoded else body.encode("utf-8", "surrogatepass"),
    )
