"""The outbox: one reply is one record, and moves only along the arrows of its diagram."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from firstreply.conversations import Conversations
from firstreply.errors import TryLater
from firstreply.message import Conversation, Message, Reply
from firstreply.outbox import LEASE, Entry, Outbox
from tests.aws import World

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
COOL_DOWN = timedelta(minutes=30)


def reply(message_id: str = "m1", customer: str = "ada") -> Reply:
    message = Message(
        conversation=Conversation(channel="meta", account="page", customer=customer),
        id=message_id,
        network="facebook",
        kind="comment",
        public=True,
        text="words",
        sent_at=NOW,
    )
    return Reply(key=f"{message_id}#ack", message=message, text="answer")


def outbox(owner: str = "one") -> Outbox:
    table = boto3.resource("dynamodb").Table("conversations")
    return Outbox(Conversations(table, timedelta(days=90)), owner)


def test_a_claim_is_held_for_its_lease(stack: World) -> None:
    assert outbox("one").is_mine(outbox("one").claim(reply(), NOW))
    other = outbox("two").claim(reply(), NOW + LEASE - timedelta(seconds=1))
    assert (other.state, other.owner) == ("claimed", "one")
    assert outbox("two").is_mine(outbox("two").claim(reply(), NOW + LEASE + timedelta(seconds=1)))


def test_a_claim_repeated_by_its_owner_is_still_its_own(stack: World) -> None:
    """botocore repeats a write whose answer was lost."""
    outbox().claim(reply(), NOW)
    assert outbox().is_mine(outbox().claim(reply(), NOW))


def test_what_is_being_sent_is_never_claimed_again(stack: World) -> None:
    outbox().claim(reply(), NOW)
    assert outbox().begin(reply(), NOW, COOL_DOWN) is None
    for owner in ("one", "two"):
        much_later = NOW + timedelta(days=3)
        entry = outbox(owner).claim(reply(), much_later)
        assert entry.state == "sending"
        assert not outbox(owner).is_mine(entry)


@pytest.mark.parametrize("state", ["sent", "refused", "unknown"])
def test_what_is_settled_is_never_claimed_again(stack: World, state: str) -> None:
    outbox().claim(reply(), NOW)
    outbox().begin(reply(), NOW, COOL_DOWN)
    outbox().settle(reply(), Entry(state=state, owner="", lease_until=0).state, reason="why")
    assert outbox("two").claim(reply(), NOW + timedelta(days=3)).state == state


OVER = LEASE + timedelta(seconds=1)


def begun(owner: str = "one") -> Entry:
    """A reply that is being sent, as another invocation sees it."""
    outbox(owner).claim(reply(), NOW)
    outbox(owner).begin(reply(), NOW, COOL_DOWN)
    return outbox("onlooker").claim(reply(), NOW)


def test_a_reply_cut_off_while_sending_is_rearmed_only_after_its_lease(stack: World) -> None:
    seen = begun()
    assert outbox("two").rearm(reply(), seen, NOW).state == "sending"
    assert outbox("two").is_mine(outbox("two").rearm(reply(), seen, NOW + OVER))


def test_of_two_who_asked_about_a_reply_one_may_send_it_again(stack: World) -> None:
    """The second one's answer from the platform is older than the first one's new try."""
    seen = begun()
    first = outbox("two")
    assert first.is_mine(first.rearm(reply(), seen, NOW + OVER))
    first.begin(reply(), NOW + OVER, COOL_DOWN)
    first.settle(reply(), "unknown", reason="no answer", ask_from=NOW + OVER)
    late = outbox("three").rearm(reply(), seen, NOW + 3 * OVER)
    assert (late.state, late.owner) == ("unknown", "two")


def test_an_unknown_reply_is_not_rearmed_before_the_platform_can_show_it(stack: World) -> None:
    begun()
    outbox("one").settle(reply(), "unknown", ask_from=NOW + timedelta(seconds=10))
    seen = outbox("two").claim(reply(), NOW)
    assert outbox("two").rearm(reply(), seen, NOW + timedelta(seconds=9)).state == "unknown"
    armed = outbox("two").rearm(reply(), seen, NOW + timedelta(seconds=11))
    assert outbox("two").is_mine(armed)


@pytest.mark.parametrize("state", ["sent", "refused"])
def test_a_settled_reply_is_never_rearmed(stack: World, state: str) -> None:
    seen = begun()
    outbox().settle(reply(), Entry(state=state, owner="", lease_until=0).state)
    assert outbox("two").rearm(reply(), seen, NOW + timedelta(days=3)).state == state


def test_an_unknown_reply_that_a_human_has_is_never_rearmed(stack: World) -> None:
    begun()
    outbox().settle(reply(), "unknown", reason="no answer")
    outbox().mark_handed_over(reply())
    seen = outbox("two").claim(reply(), NOW)
    assert outbox("two").rearm(reply(), seen, NOW + timedelta(days=3)).state == "unknown"


def test_an_outcome_is_not_overwritten_by_who_saw_an_older_state(stack: World) -> None:
    seen = begun()
    outbox("one").settle(reply(), "sent", platform_id="1")
    with pytest.raises(TryLater):
        outbox("two").settle(reply(), "unknown", reason="given up", seen=seen)
    assert outbox("two").claim(reply(), NOW).platform_id == "1"


def test_only_the_claim_s_owner_may_begin(stack: World) -> None:
    outbox("one").claim(reply(), NOW)
    with pytest.raises(TryLater):
        outbox("two").begin(reply(), NOW, COOL_DOWN)


def test_a_released_reply_may_be_claimed_at_once(stack: World) -> None:
    outbox().claim(reply(), NOW)
    outbox().begin(reply(), NOW, COOL_DOWN)
    outbox().release(reply())
    assert outbox("two").is_mine(outbox("two").claim(reply(), NOW))
    assert outbox("two").begin(reply(), NOW, COOL_DOWN) is None


def test_one_automatic_answer_per_cool_down_and_conversation(stack: World) -> None:
    def may_begin(message_id: str, at: datetime, customer: str = "ada") -> bool:
        one = reply(message_id, customer)
        outbox().claim(one, at)
        return outbox().begin(one, at, COOL_DOWN) is None

    assert may_begin("m1", NOW)
    assert not may_begin("m2", NOW + timedelta(minutes=29, seconds=59))
    assert may_begin("m3", NOW, customer="someone else")
    assert may_begin("m4", NOW + COOL_DOWN)


def test_so_many_answers_a_day_and_no_more(stack: World) -> None:
    """Each message counts once, however many tries and texts it takes."""

    def begin(message_id: str, at: datetime, kind: str = "ack") -> str | None:
        one = replace(reply(message_id), key=f"{message_id}#{kind}", in_private=kind != "ack")
        outbox().claim(one, at)
        return outbox().begin(one, at, timedelta(), 2)

    hours = [NOW + timedelta(hours=number) for number in range(4)]
    assert begin("m1", hours[0]) is None
    outbox().release(reply("m1"))
    assert begin("m1", hours[0]) is None
    assert begin("m1", hours[1], "private") is None
    assert begin("m2", hours[1]) is None
    assert begin("m3", hours[2]) == "daily_cap"
    assert begin("m3", NOW + timedelta(hours=12)) is None  # another day, by UTC


def test_a_second_answer_to_the_same_message_is_in_no_cool_down(stack: World) -> None:
    for kind in ("ack", "private"):
        one = replace(reply(), key=f"m1#{kind}", in_private=kind == "private")
        outbox().claim(one, NOW)
        assert outbox().begin(one, NOW, COOL_DOWN, 5) is None
    other = reply("m2")
    outbox().claim(other, NOW)
    assert outbox().begin(other, NOW, COOL_DOWN, 5) == "cool_down"


def test_of_two_accounts_that_are_named_one_answers_also_in_private(stack: World) -> None:
    first = reply()
    outbox().claim(first, NOW)
    assert outbox().begin(first, NOW, COOL_DOWN, 5) is None
    where = replace(first.message.conversation, account="another")
    second = Reply(
        key="m1#private",
        message=replace(first.message, conversation=where),
        text="answer",
        in_private=True,
    )
    outbox().claim(second, NOW)
    assert outbox().begin(second, NOW, COOL_DOWN, 5) == "other_account"


def test_what_a_human_wrote_knows_no_cool_down(stack: World) -> None:
    for message_id, cool_down in (("m1", COOL_DOWN), ("m2", None)):
        outbox().claim(reply(message_id), NOW)
        assert outbox().begin(reply(message_id), NOW, cool_down) is None


def test_of_many_messages_at_the_same_instant_one_is_answered(stack: World) -> None:
    """All have asked the policy and were told to go on, before the first of them begins."""
    owners = {number: outbox(f"owner {number}") for number in range(8)}
    for number, mine in owners.items():
        assert mine.is_mine(mine.claim(reply(f"m{number}"), NOW))
    begun = [mine.begin(reply(f"m{n}"), NOW, COOL_DOWN) is None for n, mine in owners.items()]
    assert begun == [True] + [False] * 7
