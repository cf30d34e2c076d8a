"""moto without what it works out anew at every call; its answers stay the same."""

from copy import copy, deepcopy
from functools import cache
from typing import Any

import moto.core.models
import moto.core.responses
from moto.core.serialize import ResponseSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_pick = ResponseSerializer.get_value
_transact = DynamoDBBackend.transact_write_items


def quicken() -> None:
    """It is half the time of most tests."""
    responses: Any = moto.core.responses
    serializer: Any = ResponseSerializer
    dynamodb: Any = DynamoDBBackend
    responses.method_names_from_class = cache(responses.method_names_from_class)
    serializer.get_value = _pick_at_once
    dynamodb.transact_write_items = _transact_quickly
    # Patterns for `requests`, thousands of them at each start, which nothing here calls.
    moto.core.models.RESPONSES_METHODS.clear()


def _pick_at_once(self: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
    """{"S": ".."} has one of ten members, and none of them another name."""
    if type(value) is dict and shape.parent.name == "AttributeValue":
        return value.get(key)
    return _pick(self, value, key, shape)


def _transact_quickly(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """moto keeps copies of whole tables, to put them back if a condition fails. Of what lies under
    other keys than those that are written nothing changes."""
    operations = [operation for one in transact_items for operation in one.values()]

    def copied(table: Any, memo: dict[int, Any]) -> Any:
        kept = copy(table)
        kept.items = copy(table.items)
        for operation in operations:
            written = operation.get("Key") or operation["Item"]
            if operation["TableName"] == table.name:
                key = DynamoType(written[table.hash_key_attr])
                if key in table.items:
                    kept.items[key] = deepcopy(table.items[key], memo)
        return kept

    tables: Any = Table
    tables.__deepcopy__ = copied
    try:
        _transact(self, transact_items)
    finally:
        del tables.__deepcopy__
