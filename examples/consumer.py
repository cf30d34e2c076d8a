"""The least that reads FirstReply's cases: python examples/consumer.py ESCALATION_QUEUE_URL"""

import json
import sys

import boto3


def handle(event: dict) -> None:  # type: ignore[type-arg]
    """Your helpdesk. It must have it when this returns; what raises comes again."""
    case = event["data"]
    words = case.get("message", {}).get("text", "(to be forgotten)")
    print(event["type"], case["case_id"], case.get("priority", ""), words, flush=True)  # noqa: T201


def main(queue_url: str) -> None:
    sqs, seen = boto3.client("sqs"), set()  # keep `seen` where a restart finds it
    while True:
        # One at a time: SQS then keeps the order within each conversation.
        answer = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])
            if (event["source"], event["id"]) not in seen:
                handle(event)
                seen.add((event["source"], event["id"]))
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


if __name__ == "__main__":
    main(sys.argv[1])
