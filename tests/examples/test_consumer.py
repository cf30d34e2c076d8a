"""The thirty-odd lines of docs/helpdesk.md, run as a reader would run them."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.examples.desk import SAMPLES, Shop, event
from tests.examples.sqs import serving, sqs_app

CONSUMER = Path(__file__).parents[2] / "examples" / "consumer.py"


def test_it_takes_each_event_once_and_in_order(shop: Shop) -> None:
    opened = event("opened", "m1", "It broke")
    later = {"id": "1", "source": "s", "type": "firstreply.case.of_a_later_version.v1"}
    sent = json.loads((SAMPLES / "case.reply_sent.json").read_text("utf-8")) | {"subject": "x"}
    shop.put("no event", group="none")
    shop.put(json.dumps(later), group="later")
    shop.put(sent)
    shop.put(opened, opened, event("updated", "m2", "Hello?"), event("withdrawn", "m1"))
    shop.put(event("closed"))
    with (
        serving(sqs_app()) as url,
        subprocess.Popen(
            [sys.executable, CONSUMER, shop.urls["escalation"]],
            env=os.environ | {"AWS_ENDPOINT_URL_SQS": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
    ):
        assert process.stdout
        try:
            said = [process.stdout.readline().strip() for _ in range(6)]
            while shop.left() > 1:
                assert process.poll() is None
                time.sleep(0.05)
        finally:
            process.kill()
    assert said == [
        "firstreply.case.of_a_later_version.v1 None",
        f"firstreply.case.reply_sent.v1 {sent['data']['case_id']}  {sent['data']['reply']['text']}",
        "firstreply.case.opened.v1 case-1 normal It broke",
        "firstreply.case.updated.v1 case-1 normal Hello?",
        "firstreply.case.withdrawn.v1 case-1",
        "firstreply.case.closed.v1 case-1",
    ]
    assert [message.body for message in shop._queue("escalation.fifo")._messages] == ["no event"]


def test_it_is_short_enough_to_be_read() -> None:
    assert len(CONSUMER.read_text("utf-8").splitlines()) < 35
