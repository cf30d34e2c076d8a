"""Every sample of events/ goes signed through the door, and is read by classify."""

from collections.abc import Iterator

import pytest

from firstreply.message import (
    Edited,
    Erasure,
    Hidden,
    Hint,
    Ignored,
    Message,
    Removed,
    Spoken,
    Unread,
    Update,
)
from local.simulator import DEMO_SECRET
from tests.aws import World, world
from tests.unit.channels.samples import FORMS, SAMPLES, SECRETS, named, sealed

KEYS = ("conversation", "item")


def kept(updates: list[Update]) -> set[str]:
    """The ids of what is remembered, or will be as something was told of it before it came."""
    ids = {one.id for one in updates if isinstance(one, Message)}
    ids |= {one.message.id for one in updates if isinstance(one, Edited)}
    ids |= {one.message_id for one in updates if isinstance(one, Removed | Hidden)}
    # What a human answered may still be to come.
    return ids | {
        one.in_reply_to
        for one in updates
        if isinstance(one, Spoken) and one.in_reply_to and not one.customer
    }


def trouble(updates: list[Update], others: set[str]) -> Iterator[str]:
    """Why something is set aside."""
    for one in updates:
        if isinstance(one, Unread):
            yield one.reason
        if isinstance(one, Erasure):
            yield "a deletion was asked for by somebody unknown to us by that id"
    yield from (f"account {one} is not in the secret" for one in others)


@pytest.fixture(scope="module")
def one_stack() -> Iterator[World]:
    """For all samples, since most of the time would go into building it."""
    with pytest.MonkeyPatch.context() as patch, world(patch, DEMO_SECRET) as made:
        yield made


@pytest.fixture
def stack(one_stack: World) -> World:
    """Empty."""
    for table, keys in ((one_stack.inbox, ("key",)), (one_stack.conversations, KEYS)):
        for item in table.scan()["Items"]:
            table.delete_item(Key={name: item[name] for name in keys})
    for queue in one_stack.urls:
        one_stack.bodies(queue)
    return one_stack


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_a_sample_is_let_in_kept_and_read(stack: World, sample: str) -> None:
    name, body = sample.partition("/")[0], SAMPLES[sample]
    signed = sealed(name, DEMO_SECRET[name][SECRETS[name]][0], body)
    headers = {} if sample in FORMS else signed
    assert stack.knock(name, body.decode(), headers)["statusCode"] == 200
    assert stack.pump_inbox() == 1
    updates = list(named(name).parse(body))
    about = [one for one in updates if not isinstance(one, Unread | Erasure | Ignored)]
    told_of = {one.account for one in about}
    ours = {one for one in told_of if named(name).is_ours(one, DEMO_SECRET[name])}
    others = told_of - ours
    mine: list[Update] = [one for one in about if one.account in ours]
    assert {str(item["item"]) for item in stack.items("MSG#")} == {
        f"MSG#{message_id}" for message_id in kept(mine)
    }
    assert len(stack.bodies("fetch")) == len([one for one in mine if isinstance(one, Hint)])
    reasons = [str(one["reason"]) for one in stack.bodies("inbox-dead")]
    assert sorted(reasons) == sorted(set(trouble(updates, others)))
