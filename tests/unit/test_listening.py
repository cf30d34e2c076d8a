"""What is heard in whatever order ends in the same state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from firstreply.channels import Channel, channel
from firstreply.conversations import Remembered
from firstreply.message import (
    AccountUpdate,
    Conversation,
    Edited,
    Erasure,
    Message,
    Removed,
    Spoken,
)
from functions.classify import app as classify
from functions.classify.listening import NOTHING
from tests.aws import World

NOW = datetime.now(UTC).replace(microsecond=0)
ADA = Conversation(channel="meta", account="102030405060708", customer="4711")
SAID = Message(
    conversation=ADA,
    id="1_2",
    network="facebook",
    kind="comment",
    public=True,
    text="Lovely picture",
    sent_at=NOW,
)


def edited(text: str, seconds: float) -> Edited:
    return Edited(message=replace(SAID, text=text), at=NOW + timedelta(seconds=seconds))


FIRST = edited("My kettle stopped working", 5)
# A fraction of a second is later than none, though not in the alphabet of ISO 8601.
SECOND = edited("Your app keeps crashing and nobody answers", 5.25)
GONE = Removed(
    account=ADA.account, customer=ADA.customer, message_id=SAID.id, at=NOW + timedelta(seconds=9)
)
UPDATES: dict[str, AccountUpdate] = {"said": SAID, "1st": FIRST, "2nd": SECOND, "gone": GONE}


def meta() -> Channel:
    found = channel("meta")
    assert found
    return found


@pytest.mark.parametrize("order", list(permutations(("said", "1st", "2nd"))), ids="-".join)
def test_of_a_message_and_its_edits_the_last_wording_remains(
    stack: World, order: tuple[str, ...]
) -> None:
    for name in (*order, *order):
        classify.listening().hear(meta(), "meta", UPDATES[name])
    (item,) = stack.items("MSG#")
    assert item["message"]["text"] == "Your app keeps crashing and nobody answers"
    assert item["understanding"]["intent"] == "complaint"
    assert item["decision"]["escalate"] is True
    assert item["message"]["sent_at"] == SAID.sent_at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("order", list(permutations(("said", "1st", "2nd", "gone"))), ids="-".join)
def test_a_removal_wins_wherever_it_comes(stack: World, order: tuple[str, ...]) -> None:
    for name in (*order, *order):
        last = classify.listening().hear(meta(), "meta", UPDATES[name])
    (item,) = stack.items("MSG#")
    assert "kettle" not in str(item)
    assert "Lovely" not in str(item)
    assert item["removed_at"]
    assert last.replies == ()


def test_what_is_heard_twice_is_queued_alike(stack: World) -> None:
    """So that a crash between keeping and queueing loses nothing."""
    for update in (SAID, FIRST, GONE):
        first, second = (classify.listening().hear(meta(), "meta", update) for _ in range(2))
        assert [one.id for one in first.replies] == [one.id for one in second.replies]
        assert first.complaints == second.complaints
        assert first.hints == second.hints


def test_a_human_s_answer_heard_twice_is_one_and_an_older_one_does_not_undo_a_newer(
    stack: World,
) -> None:
    def human(number: int) -> Spoken:
        at = NOW + timedelta(minutes=number)
        return Spoken(
            account=ADA.account, customer=ADA.customer, id=f"m_{number}", text="Hello", at=at
        )

    for number in (2, 1, 2):
        classify.listening().hear(meta(), "meta", human(number))
    assert {item["item"] for item in stack.items("HUMAN#")} == {"HUMAN#m_1", "HUMAN#m_2"}
    (person,) = stack.items("PERSON")
    assert int(person["human_ms"]) == int((NOW + timedelta(minutes=2)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("minutes", "first", "second", "human_after", "urgency"),
    [
        (10, "My kettle stopped working", "Where is my refund?", None, "high"),
        (10, "When do you open on Sunday?", "Nobody answers, that's awful", None, "high"),
        (1, "My kettle stopped working", "And it is dirty too", None, "normal"),  # one breath
        (90, "My kettle stopped working", "Where is my refund?", None, "normal"),
        (10, "My kettle stopped working", "Where is my refund?", 5, "normal"),
        (10, "My kettle stopped working", "Lovely, thank you", None, "normal"),
        (10, "Lovely picture", "Where is my refund?", None, "normal"),
    ],
)
def test_who_asks_again_within_the_hour_is_urgent_until_a_human_has_answered(
    stack: World, minutes: int, first: str, second: str, human_after: int | None, urgency: str
) -> None:
    listening = classify.listening()
    listening.hear(meta(), "meta", replace(SAID, id="1_1", text=first))
    if human_after:
        at = NOW + timedelta(minutes=human_after)
        listening.hear(
            meta(),
            "meta",
            Spoken(account=ADA.account, customer=ADA.customer, id="m_1", text="Hello", at=at),
        )
    again = replace(SAID, id="1_2", text=second, sent_at=NOW + timedelta(minutes=minutes))
    listening.hear(meta(), "meta", again)
    remembered = listening.conversations.load(ADA, "1_2")
    assert remembered
    assert remembered.understanding.urgency == urgency
    told = [one for one in remembered.understanding.reasons if "repeated_contact" in one]
    assert bool(told) == (urgency == "high")


def test_who_wants_to_be_forgotten_is_not_remembered_by_what_comes_late(stack: World) -> None:
    """Not even if nothing was known when they asked. What they write afterwards is heard."""
    listening = classify.listening()
    listening.erase(ADA, Erasure(customer=ADA.customer, at=NOW + timedelta(minutes=1)))
    assert listening.hear(meta(), "meta", SAID) == NOTHING
    later = replace(SAID, id="1_9", sent_at=NOW + timedelta(minutes=2))
    listening.hear(meta(), "meta", later)
    assert [item["item"] for item in stack.items("MSG#")] == ["MSG#1_9"]


def test_an_old_deletion_heard_again_leaves_what_was_said_since(stack: World) -> None:
    listening = classify.listening()
    erasure = Erasure(customer=ADA.customer, at=NOW)
    listening.erase(ADA, erasure)
    at = NOW + timedelta(minutes=5)
    human = Spoken(account=ADA.account, customer=ADA.customer, id="m_5", text="Hello", at=at)
    listening.hear(meta(), "meta", human)
    listening.erase(ADA, erasure)
    assert [item["text"] for item in stack.items("HUMAN#")] == ["Hello"]
    listening.erase(ADA, replace(erasure, at=at))
    assert [item["text"] for item in stack.items("HUMAN#")] == [""]


# --- what our own words promise -------------------------------------------------------------------


def hear(id: str, text: str, minutes: float) -> Remembered:
    sent_at = NOW + timedelta(minutes=minutes)
    classify.listening().hear(meta(), "meta", replace(SAID, id=id, text=text, sent_at=sent_at))
    found = classify.listening().conversations.load(ADA, id)
    assert found
    return found


def test_a_ready_answer_stays_given_whatever_its_question_becomes(stack: World) -> None:
    asked = hear(SAID.id, "When are you open?", 0)
    assert asked.decision.answer
    classify.listening().hear(meta(), "meta", edited("I am at your door now", 5))
    now = classify.listening().conversations.load(ADA, SAID.id)
    assert now
    assert now.decision.answer == asked.decision.answer
    assert hear("1_3", "see you there", 1).decision.reasons == ("promised",)


def test_what_comes_after_a_ready_answer_reaches_a_human_though_thanks_came_between(
    stack: World,
) -> None:
    hear("1_3", "When are you open?", 0)
    hear("1_4", "Great service, thank you so much!", 0.005)
    assert hear("1_5", "see you there", 1).decision.reasons == ("promised",)


def test_what_a_human_was_promised_for_stays_so_after_an_edit(stack: World) -> None:
    assert hear(SAID.id, "What time do you open on Sunday?", 0).decision.reasons == ("unanswered",)
    classify.listening().hear(meta(), "meta", edited("When are you open?", 5))
    now = classify.listening().conversations.load(ADA, SAID.id)
    assert now
    assert (now.decision.escalate, now.decision.reasons) == (True, ("unanswered",))
    assert now.waits_for_human
