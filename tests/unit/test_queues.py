"""What SQS takes at once, whatever there is to be sent."""

from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from firstreply.errors import FirstReplyError, Refuse, TooLarge, TryLater
from firstreply.queues import Queue
from tests.unit.channels.samples import quick

MIB = 1_048_576


class Note(BaseModel):
    """{"text":"…"}, eleven bytes around it."""

    text: str


class Sqs:
    """Keeps what it is sent, and answers with these codes."""

    def __init__(self, *codes: str) -> None:
        self.batches: list[list[str]] = []
        self.failed = [{"Id": str(n), "Code": code} for n, code in enumerate(codes)]

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.batches.append([one["MessageBody"] for one in Entries])
        return {"Failed": self.failed}


def queue(sqs: Sqs) -> Queue:
    return Queue(cast("Any", sqs), "url")


@quick
@given(st.lists(st.integers(0, MIB - 11), max_size=25))
@example([MIB - 11] * 2)
@example([MIB // 2 - 11] * 4)
@example([0] * 21)
def test_everything_is_sent_in_order_and_never_too_much_at_once(sizes: list[int]) -> None:
    sqs, notes = Sqs(), [Note(text="x" * size) for size in sizes]
    queue(sqs).send_all(notes)
    assert [one for batch in sqs.batches for one in batch] == [n.model_dump_json() for n in notes]
    for batch in sqs.batches:
        assert 1 <= len(batch) <= 10
        assert sum(map(len, batch)) <= MIB


def test_what_fits_into_one_call_is_one_call() -> None:
    sqs = Sqs()
    queue(sqs).send_all([Note(text="x" * (MIB // 10 - 11))] * 10)
    assert len(sqs.batches) == 1


def test_what_is_too_large_alone_is_refused_for_good() -> None:
    """As it goes over the wire: in ASCII."""
    sqs = Sqs()
    for text in ("x" * (MIB - 10), "é" * (MIB // 6)):
        with pytest.raises(TooLarge):
            queue(sqs).send_all([Note(text=text)])
    assert sqs.batches == []


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        (["InternalError"], TryLater),
        (["InvalidMessageContents"], Refuse),
        (["InvalidMessageContents", "InternalError"], TryLater),
    ],
)
def test_what_was_not_taken_is_sent_again_unless_it_never_will_be(
    codes: list[str], error: type[FirstReplyError]
) -> None:
    with pytest.raises(error):
        queue(Sqs(*codes)).send_all([Note(text="x")] * 2)
