"""The thirty lines of docs/helpdesk.md, run as a reader would run them."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.examples.desk import Shop, event
from tests.examples.sqs import serving, sqs_app

CONSUMER = Path(__file__).parents[2] / "examples" / "consumer.py"


def test_it_takes_each_event_once_and_in_order(shop: Shop) -> None:
    opened = event("opened", "m1", "It broke")
    shop.put(opened, opened, event("updated", "m2", "Hello?"), event("withdrawn", "m1"))
    with (
        serving(sqs_app()) as url,
        subprocess.Popen(
            [sys.executable, CONSUMER, shop.urls["escalation"]],
            env=os.environ | {"AWS_ENDPOINT_URL_SQS": url},
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdout
        try:
            said = [process.stdout.readline().strip() for _ in range(3)]
            while shop.left():
                assert process.poll() is None
                time.sleep(0.05)
        finally:
            process.kill()
    assert said == [
        "firstreply.case.opened.v1 case-1 normal It broke",
        "firstreply.case.updated.v1 case-1 normal Hello?",
        "firstreply.case.withdrawn.v1 case-1  (to be forgotten)",
    ]


def test_it_is_short_enough_to_be_read() -> None:
    assert len(CONSUMER.read_text("utf-8").splitlines()) <= 30
