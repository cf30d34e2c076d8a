"""The operator's commands on the deployed stack."""

from urllib.parse import urlsplit

import pytest

from firstreply.conversations import message_key
from local.play import Stage
from operate.__main__ import main
from tests.e2e.test_path import play

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def run(stage: Stage, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    command, *rest = arguments
    port = str(urlsplit(stage.stack.endpoint).port)
    monkeypatch.setattr("sys.argv", ["make", command, "--local", "--port", port, *rest])
    assert main() == 0


def test_a_replay_brings_back_what_was_lost_and_says_nothing_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = play(stage, "x_mention", "My kettle stopped working, I want a refund")
    assert before.remembered
    message = before.remembered.message
    table = stage.stack.dynamodb.Table(stage.stack.outputs["ConversationsTable"])
    table.delete_item(Key=message_key(message.conversation, message.id))
    run(stage, monkeypatch, "replay", "--since", "5m", "--channel", "x", "--per-second", "50")
    assert "sent through again, 0 expired" in capsys.readouterr().out
    after = stage.settle(message.id, before.deliveries)
    assert after.remembered
    assert after.remembered.message == message
    assert after.said == before.said
    run(stage, monkeypatch, "show", message.id)
    shown = capsys.readouterr().out
    assert message.text in shown
    assert before.said[0]["text"] in shown
