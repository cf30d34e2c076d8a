"""Fixtures of the unit tests."""

import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module, invalidate_caches
from pathlib import Path

import pytest

from operate.stack import Stack
from tests.aws import World
from tests.unit.brands import Files, forget
from tests.unit.channels.samples import ROOT

OUTPUTS = {
    "InboxTable": "inbox",
    "ConversationsTable": "conversations",
    "ReplyQueueUrl": "reply",
    "ReplyDeadLetterQueueUrl": "reply-dead",
    "ComplaintQueueUrl": "complaint",
    "ComplaintDeadLetterQueueUrl": "complaint-dead",
    "EscalationQueueUrl": "escalation.fifo",
    "EscalationDeadLetterQueueUrl": "escalation-dead.fifo",
    "InboxDeadLetterQueueUrl": "inbox-dead",
}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """A brand of one's own: at first a copy of the shipped one."""
    folder = tmp_path / "brand"
    shutil.copytree(ROOT / "brand", folder)
    import_module("brand")
    others = [entry for entry in sys.path if not Path(entry or ".", "brand").is_dir()]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *others])
    monkeypatch.delitem(sys.modules, "brand")
    invalidate_caches()
    forget()
    yield Files(folder)
    forget()


@pytest.fixture
def deployed(connected: World) -> Stack:
    """As an operator finds it."""
    outputs = {k: connected.urls.get(v, v) for k, v in OUTPUTS.items()}
    return Stack(outputs=outputs, retention=timedelta(days=90), where={})
