"""docs/helpdesk.md says what is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from examples.helpdesk.seam import Refused
from tests.examples.desk import Shop, event, no_answer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "helpdesk.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_consumer_on_the_page_is_the_one_that_is_run() -> None:
    assert blocks("python") == [(ROOT / "examples" / "consumer.py").read_text("utf-8")]


def test_the_answer_on_the_page_is_the_published_sample() -> None:
    sample = ROOT / "docs" / "contracts" / "samples" / "reply.requested.json"
    assert json.loads(blocks("json")[1]) == json.loads(sample.read_text("utf-8"))


def test_the_policy_grants_what_the_worker_calls_and_no_more(shop: Shop) -> None:
    called = set()

    def note(model: Any, **_: Any) -> None:
        called.add(f"sqs:{model.name}")

    shop.put(event("opened"), event("opened", case=2))
    shop.sqs.meta.events.register("before-call.sqs", note)
    shop.intake.turn(long_poll=0)
    shop.desk.answer("t1", "We are on it.")
    shop.outlet.look()
    shop.desk.fails = no_answer(Refused("422"))
    shop.intake.turn(long_poll=0)
    first, second = json.loads(blocks("json")[0])["Statement"]
    assert {*first["Action"], second["Action"]} == called
    assert second["Action"] == "sqs:SendMessage"


def test_the_site_to_play_with_is_set_up_by_what_make_test_needs_too() -> None:
    (target,) = re.findall(r"^make (\S+)", PAGE, re.MULTILINE)
    (test,) = re.findall(r"^test: (.*)##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert target in test.split()
    assert f"{Path(target).parent}/bin/python -m examples.helpdesk.django_site" in PAGE


@pytest.mark.parametrize("name", re.findall(r"^\| `([A-Z_]+)`", PAGE, re.MULTILINE))
def test_each_setting_on_the_page_is_read(name: str) -> None:
    assert f'"{name}"' in (ROOT / "examples" / "helpdesk" / "__main__.py").read_text("utf-8")
