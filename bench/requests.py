"""Counts the functions' requests to AWS where botocore sends them, with what they cost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench import pricing

if TYPE_CHECKING:
    from bench.rig import Rig

_WAITS = {"DynamoDB": "dynamodb", "AmazonSQS": "sqs", "secretsmanager": "secretsmanager"}


@dataclass(slots=True)
class Requests:
    """Of all functions together. `sized`: also what DynamoDB makes of them, which takes two more
    reads of the bench's own each, so nothing is to be timed meanwhile."""

    rig: Rig
    sized: bool = False
    by_operation: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    waits_ms: float = 0
    bill: pricing.Bill = field(default_factory=pricing.Bill)
    units: Counter[str] = field(default_factory=Counter)  # of writing, by kind of item
    _open: list[tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any], bool]] = field(
        default_factory=list
    )

    def listen(self) -> None:
        from firstreply import aws

        clients: tuple[Any, ...] = (
            aws.dynamodb_client(),
            aws.dynamodb().meta.client,
            aws.sqs(),
            aws.secretsmanager(),
        )
        for client in clients:
            client.meta.events.register("before-send", self._before)
            # Before the resource makes Python values of DynamoDB's.
            client.meta.events.register_first("after-call.dynamodb", self._after)

    @property
    def total(self) -> int:
        return self.by_operation.total()

    def _before(self, request: Any, **_more: object) -> None:  # noqa: ANN401
        target = request.headers["X-Amz-Target"]
        service, _, operation = (
            target.decode() if isinstance(target, bytes) else target
        ).rpartition(".")
        body = request.body if isinstance(request.body, bytes) else request.body.encode()
        self.by_operation[operation] += 1
        self.bytes += len(body)
        name = next(name for start, name in _WAITS.items() if service.startswith(start))
        self.waits_ms += pricing.prices()["assumed"]["ms"][name]
        if name == "secretsmanager":
            self.bill.secrets += 1
        elif name == "sqs":
            self._sqs(operation, json.loads(body), len(body))
        elif self.sized:
            self._write(operation, json.loads(body))

    def _sqs(self, operation: str, body: Mapping[str, Any], size: int) -> None:
        """A message is sent here, and received and deleted by Lambda, one at a time. What the
        helpdesk does with its queue is its own."""
        if body["QueueUrl"].endswith(".fifo"):
            self.bill.sqs_fifo += pricing.sqs_requests(size)
            return
        messages = len(body.get("Entries", "1")) if operation.startswith("Send") else 0
        self.bill.sqs += pricing.sqs_requests(size) + 2 * messages

    def _write(self, operation: str, body: Mapping[str, Any]) -> None:
        """What was there before; `_after` sees what came of it."""
        if operation == "TransactWriteItems":
            writes = [next(iter(one.values())) for one in body["TransactItems"]]
        else:
            writes = [body] if operation in ("PutItem", "UpdateItem") else []
        for one in writes:
            key = one.get("Key") or _key_of(one["TableName"], one["Item"])
            before = self._load(one["TableName"], key)
            self._open.append((one, key, before, len(writes) > 1 or operation.startswith("Trans")))

    def _after(self, parsed: Any, model: Any, **_more: object) -> None:  # noqa: ANN401
        if not self.sized:
            return
        for one, key, before, in_transaction in self._open:
            after = self._load(one["TableName"], key)
            units = pricing.write_units(before, after, in_transaction=in_transaction)
            index = pricing.index_units(before, after, "platform_id")
            index *= 2 if in_transaction else 1
            self.bill.write_units += units + index
            self.units[_kind(key)] += units
            self.units["index platform_id"] += index
        self._open.clear()
        # All reads but one, an account's standing, are consistent; an index never is, and is small.
        if model.name == "GetItem":
            self.bill.read_units += pricing.read_units(
                pricing.item_bytes(parsed.get("Item", {})), consistent=True
            )
        elif model.name == "Query":
            size = sum(pricing.item_bytes(item) for item in parsed.get("Items", ()))
            self.bill.read_units += pricing.read_units(size, consistent=True)

    def _load(self, table: str, key: Mapping[str, Any]) -> Mapping[str, Any]:
        found = self.rig.dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
        return found.get("Item", {})


def _kind(key: Mapping[str, Any]) -> str:
    """MSG, REPLY, CASE, …"""
    return str(key["item"]["S"]).partition("#")[0] if "item" in key else "Inbox"


def _key_of(table: str, item: Mapping[str, Any]) -> dict[str, Any]:
    names = ("key",) if table == "inbox" else ("conversation", "item")
    return {name: item[name] for name in names}
