"""The least that reads FirstReply's cases: python examples/consumer.py ESCALATION_QUEUE_URL"""

import json
import sys

import boto3


def handle(event: dict) -> None:  # type: ignore[type-arg]
    """Your helpdesk. It must have it when this returns; what raises comes again."""
    case = event.get("data", {})
    said = case.get("message") or case.get("reply") or {"text": ""}
    print(event["type"], case.get("case_id"), case.get("priority", ""), said["text"], flush=True)  # noqa: T201


def main(queue_url: str) -> None:
    sqs, seen = boto3.client("sqs"), set()  # keep `seen` where a restart finds it
    while True:
        # One at a time: SQS then keeps the order within each conversation.
        answer = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)
        for message in answer.get("Messages", []):
            try:
                event = json.loads(message["Body"])
                if (key := (event["source"], event["id"])) not in seen:
                    handle(event)
                seen.add(key)
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            except Exception as error:  # it comes again; after ten times it is a dead letter
                print("not taken:", type(error).__name__, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
