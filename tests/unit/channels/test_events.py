"""What becomes of every sample event."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from firstreply.message import Conversation, Ignored, Message, Update
from tests.unit.channels.samples import HEADER, SAMPLES, SIGN, knock, named, section

PAGE, OTHER_PAGE = "102030405060708", "203040506070809"
POST = f"https://www.facebook.com/{PAGE}/posts/700100200300400"
PROFILE, ADA = "1500000000000000001", "1600000000000000042"
THEN = datetime(2026, 11, 22, 9, 20, tzinfo=UTC)
THEN_123 = THEN.replace(microsecond=123_000)
AGAIN = " ".join(["First the gate changed, then the crew timed out, then the bus never came."] * 4)

OTHER_CHANGE = Ignored("change of another kind")
OTHER_MESSAGING = Ignored("messaging event of another kind")
NOTHING_KNOWN = Ignored("entry without changes or messaging")
OTHER_EVENT = Ignored("event of another kind")
OTHER_ENVELOPE = Ignored("envelope of another kind")


def comment(
    number: int,
    text: str,
    customer: str,
    name: str | None,
    *,
    permalink: str | None = POST,
    account: str = PAGE,
    post: str = "700100200300400",
    is_anonymous: bool = False,
) -> Message:
    id = f"{post}_{number}"
    return Message(
        conversation=Conversation(channel="meta", account=account, customer=customer),
        id=id,
        network="facebook",
        kind="comment",
        public=True,
        text=text,
        sent_at=THEN,
        author_name=name,
        is_anonymous=is_anonymous,
        permalink=permalink or f"https://www.facebook.com/{id}",
    )


def direct(number: int, text: str, account: str = PAGE) -> Message:
    return Message(
        conversation=Conversation(channel="meta", account=account, customer="6600110022003300"),
        id=f"m_kTq2Wf0aXr-Fictional_{number:04}",
        network="messenger",
        kind="message",
        public=False,
        text=text,
        sent_at=THEN_123,
    )


def mention(number: int, text: str, language: str | None = "en") -> Message:
    id = f"1990000000000000{number}"
    return Message(
        conversation=Conversation(channel="x", account=PROFILE, customer=ADA),
        id=id,
        network="x",
        kind="mention",
        public=True,
        text=text,
        sent_at=THEN,
        author_name="Ada Okafor",
        author_handle="ada_okafor",
        permalink=f"https://x.com/ada_okafor/status/{id}",
        language=language,
    )


MIRELA = comment(
    810,
    "My bag has been missing since Friday and nobody answers. \N{DISAPPOINTED FACE}",
    "5500110022003300",
    "Mirela Vance",
)
TARMAC = mention(101, "@LarkspurAir three hours on the tarmac and no water \N{POUTING FACE}")
TWICE = Message(
    conversation=Conversation(channel="x", account=PROFILE, customer=ADA),
    id="1990000000000000201",
    network="x",
    kind="direct_message",
    public=False,
    text="I was charged twice for seat 14C, can you help?",
    sent_at=THEN_123,
    author_name="Ada Okafor",
    author_handle="ada_okafor",
)

WHAT_BECOMES_OF: dict[str, list[Update]] = {
    "meta/comment_added.json": [MIRELA],
    "meta/comment_reply_added.json": [
        comment(811, "Same here, still waiting.", "5500110022003301", "Tomás Iriarte")
    ],
    "meta/comment_without_from.json": [
        comment(
            814,
            "Where do I hand in a found passport?",
            "5500110022003302",
            "Ngozi Hart",
            permalink=None,
        )
    ],
    "meta/comment_without_author.json": [
        comment(
            815,
            "Third delay this week.",
            "author-of-700100200300400_815",
            None,
            permalink=None,
            is_anonymous=True,
        )
    ],
    "meta/comment_without_text.json": [
        replace(comment(812, "", "5500110022003300", "Mirela Vance"), attachments=("photo",))
    ],
    "meta/comment_edited.json": [OTHER_CHANGE],
    "meta/comment_removed.json": [OTHER_CHANGE],
    "meta/comment_hidden.json": [OTHER_CHANGE],
    "meta/own_comment.json": [Ignored("own comment")],
    "meta/visitor_post.json": [OTHER_CHANGE],
    "meta/reaction.json": [OTHER_CHANGE],
    "meta/ratings.json": [OTHER_CHANGE],
    "meta/values_not_included.json": [NOTHING_KNOWN],
    "meta/messenger_message.json": [
        direct(1, "Can I bring a cello on flight 12? \N{VIOLIN}"),
    ],
    "meta/messenger_quick_reply.json": [direct(2, "Lost bag")],
    "meta/messenger_attachment_only.json": [replace(direct(5, ""), attachments=("image",))],
    "meta/messenger_sticker.json": [Ignored("message without text")],
    "meta/messenger_echo.json": [Ignored("own message")],
    "meta/messenger_delivery.json": [OTHER_MESSAGING],
    "meta/messenger_read.json": [OTHER_MESSAGING],
    "meta/messenger_postback.json": [OTHER_MESSAGING],
    "meta/messenger_reaction.json": [OTHER_MESSAGING],
    "meta/messenger_edit.json": [OTHER_MESSAGING],
    "meta/standby.json": [NOTHING_KNOWN],
    "meta/batch_of_two_pages.json": [
        MIRELA,
        OTHER_CHANGE,
        comment(
            820,
            "Your night bus left without us.",
            "5500110022003305",
            "Mirela Vance",
            permalink=None,
            account=OTHER_PAGE,
            post="700100200300499",
        ),
        direct(6, "Hello?", OTHER_PAGE),
    ],
    "meta/instagram_flat_field.json": [NOTHING_KNOWN],
    "meta/dashboard_test.json": [OTHER_CHANGE],
    "x/mention_xaa.json": [TARMAC],
    "x/mention_aaa.json": [TARMAC],
    "x/mention_users_wrapped_xaa.json": [mention(102, "@LarkspurAir ¿hola?", None)],
    "x/mention_long_xaa.json": [mention(103, f"@LarkspurAir {AGAIN} Who pays for the hotel?")],
    "x/mention_long_aaa.json": [mention(110, f"{AGAIN} Who pays for the hotel? @LarkspurAir")],
    "x/repost_xaa.json": [Ignored("repost")],
    "x/repost_aaa.json": [Ignored("repost")],
    "x/quote_without_mention_aaa.json": [Ignored("post that does not mention us")],
    "x/reply_xaa.json": [OTHER_EVENT],
    "x/own_post_xaa.json": [OTHER_EVENT],
    "x/own_mention_xaa.json": [Ignored("own post")],
    "x/own_post_aaa.json": [Ignored("own post")],
    "x/post_delete_xaa.json": [OTHER_EVENT],
    "x/post_delete_aaa.json": [OTHER_EVENT],
    "x/direct_message_xaa.json": [TWICE],
    "x/direct_message_aaa.json": [TWICE],
    "x/own_direct_message_xaa.json": [OTHER_EVENT],
    "x/own_direct_message_received_xaa.json": [Ignored("own direct message")],
    "x/own_direct_message_aaa.json": [Ignored("own direct message")],
    "x/typing_xaa.json": [OTHER_EVENT],
    "x/follow_aaa.json": [OTHER_EVENT],
    "x/chat_received_xaa.json": [OTHER_EVENT],
    "x/oauth_revoke_xaa.json": [OTHER_EVENT],
    "x/user_event_revoke_aaa.json": [OTHER_ENVELOPE],
    "x/replay_job_status.json": [OTHER_ENVELOPE],
}


def test_every_sample_has_a_row_and_every_row_a_sample() -> None:
    assert WHAT_BECOMES_OF.keys() == SAMPLES.keys()


@pytest.mark.parametrize("sample", sorted(WHAT_BECOMES_OF.keys() & SAMPLES.keys()))
def test_a_sample_becomes_exactly_this(sample: str) -> None:
    channel = named(sample.partition("/")[0])
    assert list(channel.parse(SAMPLES[sample])) == WHAT_BECOMES_OF[sample]


@pytest.mark.parametrize("sample", sorted(SAMPLES))
def test_a_sample_is_let_in_as_its_bytes_stand(sample: str) -> None:
    name, body = sample.partition("/")[0], SAMPLES[sample]
    channel, header = named(name), SIGN[name]("app secret", body)
    assert channel.is_signed(knock(name, body, header), section(name, "app secret"))
    assert not channel.is_signed(knock(name, body + b" ", header), section(name, "app secret"))
    for other in HEADER.keys() - {name}:
        assert not named(other).is_signed(knock(other, body, header), section(other, "app secret"))
