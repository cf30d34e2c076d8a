"""moto, quickened, still puts back all that a refused transaction had written."""

from typing import Any

import pytest
from boto3.dynamodb.conditions import Key

from firstreply import aws
from tests.aws import World


def key(conversation: str, item: str) -> dict[str, Any]:
    return {"conversation": {"S": conversation}, "item": {"S": item}}


def test_a_transaction_is_all_or_nothing(stack: World) -> None:
    table, client = stack.conversations, aws.dynamodb_client()
    for conversation in "abc":
        for item in "12":
            table.put_item(Item={"conversation": conversation, "item": item, "n": 1})
    here: Any = {"TableName": table.name}
    five = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "5"}}}
    writes: list[Any] = [
        {"Update": here | five | {"Key": key("a", "1")}},
        {"Put": here | {"Item": key("a", "3")}},
        {"Put": here | {"Item": key("new", "1")}},
        {"Delete": here | {"Key": key("b", "2")}},
    ]
    never = {"ConditionExpression": "attribute_not_exists(n)", "Key": key("c", "1")}
    refused = client.exceptions.TransactionCanceledException
    before = table.scan()["Items"]
    with pytest.raises(refused):
        client.transact_write_items(TransactItems=[*writes, {"ConditionCheck": here | never}])
    assert table.scan()["Items"] == before
    client.transact_write_items(TransactItems=writes)
    found = table.query(KeyConditionExpression=Key("conversation").eq("a"))["Items"]
    assert [(one["item"], one.get("n")) for one in found] == [("1", 5), ("2", 1), ("3", None)]
    assert len(table.scan()["Items"]) == len(before) + 1
