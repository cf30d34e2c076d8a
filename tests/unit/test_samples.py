"""Every sample of events/ goes through the door and through classify."""

import json
from pathlib import Path

import httpx
import pytest

from firstreply.channels import channel
from firstreply.message import Message
from tests.aws import World

EVENTS = Path(__file__).parents[2] / "events"
SAMPLES = sorted(EVENTS.glob("*/*.json"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_sample_is_let_in_kept_and_read(
    connected: World, customers: httpx.Client, sample: Path
) -> None:
    name, text = sample.parent.name, sample.read_text("utf-8")
    body = {"channel": name, "body": json.loads(text)}
    answer = customers.post("/deliver", json=body).raise_for_status().json()
    assert [one["status"] for one in answer["deliveries"]] == [200]
    connected.drain()
    reader = channel(name)
    assert reader
    expected = {one.id for one in reader.parse(text.encode()) if isinstance(one, Message)}
    assert {str(item["item"]) for item in connected.items("MSG#")} == {
        f"MSG#{message_id}" for message_id in expected
    }
    assert connected.bodies("inbox-dead") == []
    assert connected.dead == []
