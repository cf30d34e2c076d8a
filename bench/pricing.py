"""What a request to AWS costs, by what is in it. No request is made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import yaml

type Image = Mapping[str, Any]  # an item as DynamoDB's JSON has it

FILE = Path(__file__).with_name("prices.yaml")


@cache
def prices() -> Mapping[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


def item_bytes(item: Image) -> int:
    """Names and values, as DynamoDB counts them."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            return ceil(len(held.strip("-").replace(".", "").strip("0")) / 2) + 1
        case "B":
            return len(held) if isinstance(held, bytes) else len(held) * 3 // 4
        case "M":
            return 3 + len(held) + item_bytes(held)
        case "L":
            return 3 + len(held) + sum(_value_bytes(one) for one in held)
        case "SS" | "NS" | "BS":
            return sum(_value_bytes({kind[0]: one}) for one in held)
    return 1  # BOOL, NULL


def write_units(before: Image, after: Image, *, in_transaction: bool = False) -> int:
    """By the larger of what was and what is there; one also if the condition failed."""
    units = max(1, ceil(max(item_bytes(before), item_bytes(after)) / 1024))
    return units * (2 if in_transaction else 1)


def index_units(before: Image, after: Image, attribute: str) -> int:
    """Of an index on one attribute that holds keys alone: its old entry goes, its new one comes."""
    was, now = before.get(attribute), after.get(attribute)
    return 0 if was == now else (was is not None) + (now is not None)


def read_units(size: int, *, consistent: bool) -> float:
    """Of one item, or of all that a query read."""
    return max(1, ceil(size / 4096)) * (1.0 if consistent else 0.5)


def sqs_requests(size: int) -> int:
    return max(1, ceil(size / 65_536))


def gateway_requests(size: int) -> int:
    return max(1, ceil(size / (512 * 1024)))


def billed_ms(cpu_ms: float, waits_ms: float, memory_mb: int) -> int:
    """Up to the next millisecond; a part of a processor takes longer."""
    share: float = min(1.0, memory_mb / prices()["assumed"]["whole_processor_mb"])
    return ceil(cpu_ms / share + waits_ms)


@dataclass(slots=True)
class Bill:
    """What was used; `dollars` says what it costs, by service."""

    gateway: float = 0
    invocations: float = 0
    gb_seconds: float = 0
    write_units: float = 0
    read_units: float = 0
    sqs: float = 0
    sqs_fifo: float = 0
    log_bytes: float = 0
    stored_gb_months: float = 0
    secrets: float = 0
    out_bytes: float = 0

    def dollars(self) -> dict[str, float]:
        usd = prices()["usd"]
        stored = usd["dynamodb_gb_month"] + usd["dynamodb_recovery_gb_month"]
        return {
            "HTTP API": self.gateway * usd["http_api_request"],
            "Lambda": self.invocations * usd["lambda_request"]
            + self.gb_seconds * usd["lambda_gb_second"],
            "DynamoDB writes": self.write_units * usd["dynamodb_write_unit"],
            "DynamoDB reads": self.read_units * usd["dynamodb_read_unit"],
            "DynamoDB storage": self.stored_gb_months * stored,
            "SQS": self.sqs * usd["sqs_request"] + self.sqs_fifo * usd["sqs_fifo_request"],
            "CloudWatch Logs": self.log_bytes / 1e9 * usd["logs_gb"],
            "Secrets Manager": self.secrets * usd["secret_request"],
            "to the internet": self.out_bytes / 1e9 * usd["out_gb"],
        }

    def add_invocation(self, function: str, cpu_ms: float, waits_ms: float) -> None:
        memory = prices()["memory_mb"][function]
        self.invocations += 1
        self.gb_seconds += billed_ms(cpu_ms, waits_ms, memory) / 1000 * memory / 1024


def floor_bill(body_bytes: int, cpu_ms: float) -> Bill:
    """The least that the same path can be: one request, one put, one read of the stream (free), one
    queue hop, two writes of an outbox, one call to the platform, three invocations."""
    assumed = prices()["assumed"]
    waits = assumed["ms"]
    bill = Bill(gateway=1)
    bill.write_units = max(1, ceil(body_bytes / 1024)) + 2
    bill.sqs = 3  # sent, received, deleted
    bill.add_invocation("webhook", cpu_ms, waits["dynamodb"])
    bill.add_invocation("classify", cpu_ms, waits["sqs"])
    bill.add_invocation("respond", cpu_ms, 2 * waits["dynamodb"] + waits["platform"])
    bill.log_bytes = 3 * assumed["log_bytes_per_invocation"] + assumed["access_log_bytes"]
    bill.out_bytes = assumed["request_bytes_to_platform"]
    bill.stored_gb_months = (body_bytes / 1e9) * 14 / 30
    return bill
