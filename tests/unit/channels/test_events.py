"""What becomes of every sample event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from firstreply.channels import Knock, names
from firstreply.message import (
    Conversation,
    Edited,
    Erasure,
    Hidden,
    Hint,
    Ignored,
    Message,
    Removed,
    Revoked,
    Spoken,
    Unread,
    Update,
)
from local.simulator import DEMO_SECRET
from tests.unit.channels.samples import (
    FORMS,
    SAMPLES,
    SECRETS,
    SIGN,
    knock,
    named,
    sealed,
    section,
)

PAGE, OTHER_PAGE = "102030405060708", "203040506070809"
INSTAGRAM, BY_LOGIN = "17841400000000001", "17841400000000002"
POST = f"https://www.facebook.com/{PAGE}/posts/700100200300400"
PROFILE, OTHER_PROFILE = "1500000000000000001", "1500000000000000002"
ADA, BO = "1600000000000000042", "1600000000000000043"
MIRELA_ID, PSID, IGSID = "5500110022003300", "6600110022003300", "7700110022003300"
THEN = datetime(2026, 11, 22, 9, 20, tzinfo=UTC)
THEN_123 = THEN.replace(microsecond=123_000)
# When Meta sent it, of what has no time of its own.
TOLD = THEN + timedelta(seconds=5)
EDITED = THEN + timedelta(minutes=4)
AGAIN = " ".join(["First the gate changed, then the crew timed out, then the bus never came."] * 4)

OTHER_FIELD = Ignored("field of another kind")
OTHER_ITEM = Ignored("feed item of another kind")
OTHER_VERB = Ignored("verb of another kind")
OTHER_EVENT = Ignored("event of another kind")
UNKNOWN_EVENT = Unread("event of an unknown kind")
OTHER_ENVELOPE = Ignored("envelope of another kind")
NOTHING_SAID = Ignored("message without text")
OWN_WORDS_CHANGED = Ignored("own words changed")
REPOST, OWN_POST = Ignored("repost"), Ignored("own post")
NOT_FOR_US = Ignored("post that is not for us")
UNREADABLE_POST = Unread("post without id, author, time or account")
UNREADABLE_CHAT = Unread("encrypted message without id, sender, time or account")
A_TEST = Ignored("test of the dashboard")
NO_VALUES = Unread('values are missing: switch on "Include Values" for the webhook')


# --- Facebook ---


def on_facebook(
    id: str, text: str, customer: str = MIRELA_ID, name: str | None = "Mirela Vance", **more: Any
) -> Message:
    """In public; linked to its own address if to nothing else."""
    known: dict[str, Any] = {
        "conversation": Conversation(channel="meta", account=PAGE, customer=customer),
        "network": "facebook",
        "kind": "comment",
        "public": True,
        "sent_at": THEN,
        "permalink": f"https://www.facebook.com/{id}",
    }
    return Message(id=id, text=text, author_name=name, **(known | more))


# --- elsewhere ---

LOCATION = "google_business:locations/4200"


def told(id: str, text: str, customer: str, account: str = LOCATION, **more: Any) -> Message:
    network = account.partition(":")[0]
    known: dict[str, Any] = {
        "network": network,
        "kind": "review",
        "public": True,
        "sent_at": THEN,
        "is_answerable": "reply_url" in more,
    }
    conversation = Conversation(channel="generic", account=account, customer=customer)
    return Message(conversation=conversation, id=f"{network}:{id}", text=text, **(known | more))


COUNTER = told(
    "reviews/Aa1",
    "Two hours in the queue at the Larkspur counter, and then it closed.",
    "contributor-117",
    author_name="A visitor",
    verdict="negative",
    language="en",
    permalink="https://maps.example/reviews/Aa1",
    reply_url="https://reviews.example/replies?review=Aa1",
)


def comment(number: int, text: str, *who: Any, **more: Any) -> Message:
    return on_facebook(f"700100200300400_{number}", text, *who, **more)


def under_post(number: int, text: str, *who: Any, **more: Any) -> Message:
    """Meta told the address of the post."""
    return comment(number, text, *who, **({"permalink": POST} | more))


def visitor(number: int, text: str, *attachments: str) -> Message:
    id = f"{PAGE}_700100200300{number}"
    return on_facebook(
        id, text, "5500110022003303", "Ilse Brandt", kind="post", attachments=attachments
    )


def named_in(id: str, text: str, **more: Any) -> Message:
    return on_facebook(id, text, "5500110022003307", "Per Lindahl", kind="mention", **more)


def review(id: str, text: str, verdict: str) -> Message:
    """No way to answer it is documented."""
    who = ("5500110022003306", "Ida Solberg")
    return on_facebook(id, text, *who, kind="review", verdict=verdict, is_answerable=False)


def removed(id: str, customer: str | None, account: str = PAGE, at: datetime = TOLD) -> Removed:
    return Removed(account=account, customer=customer, message_id=id, at=at)


def hidden(customer: str | None, *, again: bool = True) -> Hidden:
    id = "700100200300400_810"
    return Hidden(account=PAGE, customer=customer, message_id=id, hidden=again, at=TOLD)


def edited(message: Message, at: datetime = EDITED) -> Edited:
    return Edited(message=message, at=at)


def ours(number: int, text: str, under: str) -> Spoken:
    id = f"700100200300400_{number}"
    return Spoken(account=PAGE, id=id, text=text, at=THEN, in_reply_to=under)


# --- Messenger ---


def mid(number: int) -> str:
    return f"m_kTq2Wf0aXr-Fictional_{number:04}"


def direct(id: int | str, text: str, account: str = PAGE, **more: Any) -> Message:
    known: dict[str, Any] = {"network": "messenger", "kind": "message", "sent_at": THEN_123}
    return Message(
        conversation=Conversation(channel="meta", account=account, customer=PSID),
        id=mid(id) if isinstance(id, int) else id,
        public=False,
        text=text,
        **(known | more),
    )


def echo(number: int, text: str, **more: Any) -> Spoken:
    known: dict[str, Any] = {"account": PAGE, "customer": PSID, "at": THEN_123}
    return Spoken(id=mid(number), text=text, **(known | more))


# --- Instagram ---


def igmid(number: int) -> str:
    return f"aWdfZAG1faXRlbToxFictional_{number:04}"


def on_instagram(number: int, text: str, account: str = INSTAGRAM, **more: Any) -> Message:
    """In private."""
    known: dict[str, Any] = {"kind": "message", "sent_at": THEN_123}
    return Message(
        conversation=Conversation(channel="meta", account=account, customer=IGSID),
        id=igmid(number),
        network="instagram",
        public=False,
        text=text,
        **(known | more),
    )


def under_media(
    number: int,
    text: str,
    *,
    account: str = INSTAGRAM,
    customer: str = IGSID,
    handle: str | None = "mirela.v",
    **more: Any,
) -> Message:
    """In public; Meta sends no time with it."""
    known: dict[str, Any] = {"kind": "comment", "sent_at": TOLD}
    return Message(
        conversation=Conversation(channel="meta", account=account, customer=customer),
        id=f"179000000000{number:05}",
        network="instagram",
        public=True,
        text=text,
        author_handle=handle,
        **(known | more),
    )


def told_of(id: str, text: str, link: str) -> Message:
    """A mention, as `fetch` has it; an endpoint that we do not use would answer it."""
    return Message(
        conversation=Conversation(channel="meta", account=INSTAGRAM, customer="@mirela.v"),
        id=id,
        network="instagram",
        kind="mention",
        public=True,
        text=text,
        sent_at=THEN,
        author_handle="mirela.v",
        is_answerable=False,
        permalink=f"https://www.instagram.com/p/{link}/",
    )


def ours_on_instagram(number: int, text: str) -> Spoken:
    id, under = f"179000000000{number:05}", "17900000000000001"
    return Spoken(account=INSTAGRAM, id=id, text=text, at=TOLD, in_reply_to=under)


# --- X ---


def mention(number: int, text: str, language: str | None = "en", **more: Any) -> Message:
    id = f"1990000000000000{number}"
    known: dict[str, Any] = {
        "kind": "mention",
        "permalink": f"https://x.com/ada_okafor/status/{id}",
    }
    return Message(
        conversation=Conversation(channel="x", account=PROFILE, customer=ADA),
        id=id,
        network="x",
        public=True,
        text=text,
        sent_at=THEN,
        author_name="Ada Okafor",
        author_handle="ada_okafor",
        language=language,
        **(known | more),
    )


def replying(number: int, text: str) -> Message:
    """To a post of ours."""
    return mention(number, text, kind="reply", in_reply_to="1980000000000000001")


def to_other_profile(message: Message) -> Message:
    return replace(message, conversation=replace(message.conversation, account=OTHER_PROFILE))


def privately(number: int, text: str, **more: Any) -> Message:
    known: dict[str, Any] = {"author_name": "Ada Okafor", "author_handle": "ada_okafor"}
    return Message(
        conversation=Conversation(channel="x", account=PROFILE, customer=ADA),
        id=f"1990000000000000{number}",
        network="x",
        public=False,
        text=text,
        sent_at=THEN_123,
        **({"kind": "direct_message"} | known | more),
    )


def encrypted(number: int) -> Message:
    """There is no telling what it says, so a human looks."""
    return privately(
        number,
        "",
        kind="encrypted_message",
        attachments=("encrypted message received",),
        author_name=None,
        author_handle=None,
        is_answerable=False,
    )


def ours_in_private(number: int, text: str) -> Spoken:
    id = f"1990000000000000{number}"
    return Spoken(account=PROFILE, id=id, text=text, at=THEN_123, customer=ADA)


def gone(customer: str | None, at: datetime | None = None) -> Removed:
    return Removed(account=PROFILE, customer=customer, message_id=TARMAC.id, at=at)


MIRELA = under_post(
    810, "My bag has been missing since Friday and nobody answers. \N{DISAPPOINTED FACE}"
)
TOMAS = ("5500110022003301", "Tomás Iriarte")
LOUNGE = visitor(401, "Is the lounge in Porto open again?")
PER = {"sender_id": "5500110022003307", "sender_name": "Per Lindahl"}
RUDE = review("900100200300402", "The crew was rude and my case came back broken.", "negative")
CELLO = direct(1, "Can I bring a cello on flight 12? \N{VIOLIN}")
IG_BAG = under_media(1, "Where is my bag?")
TARMAC = mention(101, "@LarkspurAir three hours on the tarmac and no water \N{POUTING FACE}")
BOT = mention(119, "@LarkspurAir flight 12 is late", is_answerable=False)
WATER = replace(replying(111, "@LarkspurAir and the water?"), kind="mention")
CRATE = mention(124, "@LarkspurAir @LarkspurCargo which of you has my crate?")
OUR_REPLY = Spoken(
    account=PROFILE,
    id="1990000000000000106",
    text="Hi Ada, we're sorry about this.",
    at=THEN,
    customer=ADA,
    in_reply_to=TARMAC.id,
)
OUR_THREAD = Spoken(
    account=PROFILE,
    id="1990000000000000123",
    text="And twice on Sundays.",
    at=THEN,
    customer=PROFILE,
    in_reply_to="1990000000000000122",
)
TWICE = privately(201, "I was charged twice for seat 14C, can you help?")

WHAT_BECOMES_OF: dict[str, list[Update]] = {
    # Comments on Facebook
    "meta/comment_added.json": [MIRELA],
    "meta/comment_without_from.json": [
        comment(814, "Where do I hand in a found passport?", "5500110022003302", "Ngozi Hart")
    ],
    "meta/comment_without_author.json": [
        comment(
            815,
            "Third delay this week.",
            "author-of-700100200300400_815",
            None,
            is_anonymous=True,
            in_reply_to=f"{PAGE}_700100200300400",
        )
    ],
    "meta/comment_without_text.json": [under_post(812, "", attachments=("photo",))],
    "meta/comment_with_photo.json": [
        under_post(832, "This is what came out of the belt.", attachments=("photo",))
    ],
    "meta/comment_with_photos.json": [under_post(833, "Three more of it.", attachments=("photo",))],
    "meta/comment_with_video.json": [under_post(834, "", attachments=("video",))],
    "meta/comment_added_hidden.json": [
        under_post(831, "Larkspur lost my bag, again", is_answerable=False)
    ],
    "meta/comment_edited.json": [
        edited(replace(MIRELA, text="My bag has been missing since Friday. Found now, thank you!"))
    ],
    "meta/comment_removed.json": [removed(MIRELA.id, MIRELA_ID)],
    "meta/comment_removed_without_from.json": [removed(MIRELA.id, None)],
    "meta/comment_hidden.json": [hidden(MIRELA_ID)],
    "meta/comment_hidden_by_page.json": [hidden(None)],
    "meta/comment_unhidden.json": [hidden(MIRELA_ID, again=False)],
    "meta/comment_reply_added.json": [
        under_post(811, "Same here, still waiting.", *TOMAS, in_reply_to=MIRELA.id)
    ],
    "meta/comment_reply_edited.json": [
        edited(comment(811, "Same here. It came at last.", *TOMAS, in_reply_to=MIRELA.id))
    ],
    "meta/comment_reply_removed.json": [removed("700100200300400_811", TOMAS[0])],
    "meta/own_comment.json": [ours(813, "Hi Mirela, we're sorry about this.", MIRELA.id)],
    "meta/own_comment_on_post.json": [
        ours(
            835,
            "To all of you who are waiting: the belt runs again.",
            f"{PAGE}_700100200300400",
        )
    ],
    "meta/own_comment_edited.json": [OWN_WORDS_CHANGED],
    "meta/own_comment_removed.json": [removed("700100200300400_813", None)],
    "meta/reaction.json": [OTHER_ITEM],
    # Posts on the Page
    "meta/visitor_post.json": [replace(LOUNGE, sent_at=THEN + timedelta(minutes=1))],
    "meta/visitor_post_text.json": [
        visitor(402, "Two hours in the queue for bags. Is anybody there?")
    ],
    "meta/visitor_post_photo.json": [visitor(403, "The seat that I paid extra for.", "photo")],
    "meta/visitor_post_photos.json": [visitor(404, "", "photo")],
    "meta/visitor_post_video.json": [visitor(405, "Forty minutes at the gate, no word.", "video")],
    "meta/visitor_post_link.json": [visitor(406, "They write that you will strike. True?")],
    "meta/visitor_post_edited.json": [
        edited(replace(LOUNGE, text="Is the lounge in Porto open again? And the showers?"))
    ],
    "meta/visitor_post_removed.json": [removed(LOUNGE.id, "5500110022003303")],
    "meta/own_post.json": [Ignored("own post")],
    # Mentions elsewhere on Facebook
    "meta/mention_thin.json": [
        Hint(account=PAGE, about={"facebook_mention": "600100200300400_500"} | PER)
    ],
    "meta/mention_thin_post.json": [
        Hint(account=PAGE, about={"facebook_mention": "5500110022003307_600100200300401"} | PER)
    ],
    "meta/mention_with_text.json": [
        named_in("5500110022003307_600100200300401", "Never fly Larkspur Air with a dog.")
    ],
    "meta/mention_fetched.json": [
        named_in(
            "600100200300400_500",
            "Larkspur Air left my dog in Oslo.",
            permalink="https://www.facebook.com/600100200300400?comment_id=500",
        )
    ],
    "meta/mention_removed.json": [removed("5500110022003307_600100200300401", "5500110022003307")],
    # Reviews
    "meta/ratings.json": [
        replace(review("review-by-5500110022003306", "Never again.", "negative"), permalink=None)
    ],
    "meta/review_positive.json": [review("900100200300401", "Kind crew, on time.", "positive")],
    "meta/review_negative.json": [RUDE],
    "meta/review_without_text.json": [review("900100200300403", "", "negative")],
    "meta/review_edited.json": [
        edited(review(RUDE.id, "The crew was rude. They apologised since.", "positive"), TOLD)
    ],
    "meta/review_removed.json": [removed(RUDE.id, "5500110022003306")],
    "meta/review_commented.json": [on_facebook("900100200300402_1", "Mine too.")],
    "meta/review_reaction.json": [Ignored("rating of another kind")],
    # Messenger
    "meta/messenger_message.json": [CELLO],
    "meta/messenger_reply_to.json": [direct(7, "Yes, that one.", in_reply_to=mid(3))],
    "meta/messenger_quick_reply.json": [direct(2, "Lost bag")],
    "meta/messenger_attachment_only.json": [direct(5, "", attachments=("image",))],
    "meta/messenger_several_attachments.json": [
        direct(8, "Both tags", attachments=("image", "image", "file"))
    ],
    "meta/messenger_sticker.json": [NOTHING_SAID],
    "meta/messenger_sticker_old.json": [NOTHING_SAID],
    "meta/messenger_sticker_without_id.json": [NOTHING_SAID],
    "meta/messenger_postback.json": [
        direct(4, "Get started", sent_at=THEN + timedelta(seconds=13))
    ],
    "meta/messenger_postback_without_mid.json": [
        direct(f"postback-{PSID}-1795339200123", "My bag is lost")
    ],
    "meta/messenger_edit.json": [
        edited(
            replace(
                CELLO,
                text="Can I bring a cello on flight 21?",
                sent_at=THEN + timedelta(seconds=15),
            ),
            THEN + timedelta(seconds=15),
        )
    ],
    "meta/messenger_echo.json": [
        echo(
            3,
            "Hi there, good question. We've seen it and will answer you here.",
            at=THEN + timedelta(seconds=10, milliseconds=456),
            reply_key=f"{mid(1)}#ack",
        )
    ],
    "meta/messenger_echo_by_human.json": [echo(9, "Dana here. Your cello may fly in the cabin.")],
    "meta/messenger_echo_attachment.json": [echo(10, "")],
    "meta/messenger_reaction.json": [Ignored("reaction")],
    "meta/messenger_unreacted.json": [Ignored("reaction")],
    "meta/messenger_delivery.json": [Ignored("delivery")],
    "meta/messenger_read.json": [Ignored("read")],
    "meta/messenger_referral.json": [Ignored("referral")],
    "meta/messenger_optin.json": [Ignored("optin")],
    "meta/messenger_account_linking.json": [Ignored("account_linking")],
    "meta/messenger_policy_enforcement.json": [Ignored("policy_enforcement")],
    "meta/messenger_unknown_key.json": [OTHER_EVENT],
    "meta/handover.json": [
        Ignored("pass_thread_control"),
        Ignored("take_thread_control"),
        Ignored("request_thread_control"),
        Ignored("app_roles"),
    ],
    # Another app has the thread: heard, not answered
    "meta/standby.json": [replace(CELLO, is_answerable=False)],
    "meta/standby_postback.json": [direct(11, "My bag is lost", is_answerable=False)],
    "meta/standby_edit.json": [
        edited(
            direct(1, "Can I bring a cello on flight 21?", is_answerable=False),
            THEN_123,
        )
    ],
    "meta/standby_echo.json": [echo(12, "Another app's answer.")],
    # Instagram in private
    "meta/instagram_message.json": [
        on_instagram(1, "Is there a vegan meal on flight 12? \N{LEAFY GREEN}")
    ],
    "meta/instagram_message_in_reply.json": [on_instagram(2, "This one", in_reply_to=igmid(3))],
    "meta/instagram_attachment.json": [on_instagram(4, "", attachments=("image",))],
    "meta/instagram_unsupported.json": [on_instagram(8, "", attachments=("unsupported",))],
    "meta/instagram_story_reply.json": [
        on_instagram(
            6,
            "Is that gate 12? It was closed.",
            kind="story_reply",
            permalink="https://lookaside.example/story/1",
        )
    ],
    "meta/instagram_story_mention.json": [
        on_instagram(
            7,
            "",
            kind="story_mention",
            attachments=("story_mention",),
            permalink="https://lookaside.example/story/2",
        )
    ],
    "meta/instagram_postback.json": [on_instagram(9, "Talk to a human")],
    "meta/instagram_standby.json": [on_instagram(10, "Anybody?", is_answerable=False)],
    "meta/instagram_echo.json": [
        Spoken(
            account=INSTAGRAM,
            id=igmid(3),
            text="Hi, we've seen it and will answer you here.",
            at=THEN_123,
            customer=IGSID,
        )
    ],
    "meta/instagram_is_self.json": [Ignored("own words to nobody else")],
    "meta/instagram_unsend.json": [removed(igmid(1), IGSID, INSTAGRAM, THEN_123)],
    "meta/instagram_unsend_own.json": [Ignored("own words removed")],
    "meta/instagram_reaction.json": [Ignored("reaction")],
    "meta/instagram_seen.json": [Ignored("read")],
    # Instagram in public
    "meta/instagram_comment.json": [IG_BAG],
    "meta/instagram_flat_field.json": [IG_BAG],
    "meta/instagram_comment_with_comment_id.json": [
        under_media(21, "Is the tour still on?", account=BY_LOGIN)
    ],
    "meta/instagram_comment_reply.json": [
        under_media(
            2,
            "@mirela.v mine too",
            customer="7700110022003301",
            handle="tomas.iriarte",
            in_reply_to=IG_BAG.id,
        )
    ],
    "meta/instagram_comment_without_author.json": [
        under_media(
            3,
            "Never again",
            customer="author-of-17900000000000003",
            handle=None,
            is_anonymous=True,
        )
    ],
    "meta/instagram_live_comment.json": [
        under_media(7, "Ask them about the bags!", kind="live_comment")
    ],
    "meta/instagram_own_comment.json": [ours_on_instagram(4, "@mirela.v we're sorry about this.")],
    "meta/instagram_own_comment_scoped.json": [ours_on_instagram(5, "@mirela.v we have found it.")],
    "meta/instagram_own_comment_on_media.json": [Ignored("own post")],
    "meta/instagram_mention_in_comment.json": [
        Hint(account=INSTAGRAM, about={"instagram_comment": "17900000000000031"})
    ],
    "meta/instagram_mention_in_media.json": [
        Hint(account=INSTAGRAM, about={"instagram_media": "18000000000000032"})
    ],
    "meta/instagram_mention_in_comment_fetched.json": [
        told_of("17900000000000031", "@larkspurair where is my bag?", "Fictional1")
    ],
    "meta/instagram_mention_in_media_fetched.json": [
        told_of("18000000000000032", "Thanks for nothing @larkspurair", "Fictional2")
    ],
    "meta/changes_of_messages.json": [on_instagram(11, "As a change, too")],
    # Envelopes
    "meta/batch_of_two_pages.json": [
        MIRELA,
        removed("700100200300400_800", MIRELA_ID),
        on_facebook(
            "700100200300499_820",
            "Your night bus left without us.",
            "5500110022003305",
            conversation=Conversation(
                channel="meta", account=OTHER_PAGE, customer="5500110022003305"
            ),
        ),
        direct(6, "Hello?", OTHER_PAGE),
    ],
    "meta/batch_of_several_accounts.json": [
        under_media(8, "No answer for a week."),
        under_media(9, "Hello??"),
        Ignored("entry without updates"),
        under_media(10, "And the refund?", account=BY_LOGIN),
        comment(839, "Nor for me."),
        on_instagram(14, "Bus 7?", BY_LOGIN, is_answerable=False),
        on_instagram(12, "One"),
        on_instagram(13, "Two"),
    ],
    "meta/times.json": [
        *(comment(number, "What time is it?") for number in range(840, 846)),
        *(direct(number, "What time is it?") for number in (20, 21)),
    ],
    "meta/scripts.json": [
        comment(850, "שלום, איפה המזוודה שלי?\N{RIGHT-TO-LEFT MARK}"),
        comment(851, "أين حقيبتي؟ \N{POUTING FACE}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}"),
        comment(852, "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL} 行李が届かない"),
        comment(853, "half a pair \N{REPLACEMENT CHARACTER} and on"),
    ],
    "meta/values_not_included.json": [NO_VALUES],
    "meta/values_not_included_instagram.json": [NO_VALUES],
    "meta/dashboard_test.json": [A_TEST],
    "meta/dashboard_test_feed.json": [A_TEST],
    "meta/dashboard_test_messaging.json": [A_TEST],
    "meta/unknown_field.json": [OTHER_FIELD],
    "meta/unknown_item.json": [OTHER_ITEM, OTHER_ITEM],
    "meta/unknown_verb.json": [OTHER_VERB, OTHER_VERB],
    "meta/entry_without_updates.json": [Ignored("entry without updates")],
    "meta/entry_without_id.json": [Unread("entry without the id of its account")],
    "meta/no_entries.json": [Ignored("body without entries")],
    "meta/data_deletion.txt": [Erasure(customer=PSID, at=THEN + timedelta(seconds=1))],
    # Posts on X
    "x/mention_xaa.json": [TARMAC],
    "x/mention_aaa.json": [TARMAC],
    "x/mention_users_wrapped_xaa.json": [mention(102, "@LarkspurAir ¿hola?", None)],
    "x/mention_author_in_payload_xaa.json": [mention(120, "@LarkspurAir hello?")],
    "x/mention_without_users_xaa.json": [
        replace(
            mention(121, "@LarkspurAir hello??"),
            author_name=None,
            author_handle=None,
            permalink="https://x.com/i/status/1990000000000000121",
        )
    ],
    "x/mention_long_xaa.json": [mention(103, f"@LarkspurAir {AGAIN} Who pays for the hotel?")],
    "x/mention_long_aaa.json": [mention(110, f"{AGAIN} Who pays for the hotel? @LarkspurAir")],
    "x/mention_under_another_xaa.json": [mention(113, "Ask @LarkspurAir", in_reply_to=TARMAC.id)],
    "x/mention_blocked_aaa.json": [mention(118, "@LarkspurAir answer me", is_answerable=False)],
    "x/mention_automated_xaa.json": [BOT],
    "x/mention_automated_aaa.json": [BOT],
    "x/reply_xaa.json": [replying(105, TARMAC.text)],
    "x/reply_aaa.json": [replying(112, "And the water?")],
    "x/reply_to_another_aaa.json": [NOT_FOR_US],
    # One post, told of twice: as a mention and as a reply
    "x/mention_in_reply_as_mention_xaa.json": [WATER],
    "x/mention_in_reply_as_reply_xaa.json": [replace(WATER, kind="reply")],
    "x/mention_in_reply_aaa.json": [WATER],
    # and to two accounts
    "x/mention_of_two_accounts_1_xaa.json": [CRATE],
    "x/mention_of_two_accounts_1_aaa.json": [CRATE],
    "x/mention_of_two_accounts_2_xaa.json": [to_other_profile(CRATE)],
    "x/mention_of_two_accounts_2_aaa.json": [to_other_profile(CRATE)],
    "x/quote_xaa.json": [mention(108, "Look at this.", kind="quote")],
    "x/quote_without_mention_aaa.json": [mention(108, "Look at this.", kind="quote")],
    "x/quote_in_reply_xaa.json": [
        mention(115, "They said it here.", kind="quote", in_reply_to=TARMAC.id)
    ],
    "x/quote_of_another_aaa.json": [NOT_FOR_US],
    "x/repost_xaa.json": [REPOST],
    "x/repost_aaa.json": [REPOST],
    "x/repost_created_xaa.json": [OTHER_EVENT],
    "x/own_post_xaa.json": [OUR_REPLY],
    "x/own_reply_aaa.json": [OUR_REPLY],
    "x/own_post_standalone_xaa.json": [OWN_POST],
    "x/own_post_aaa.json": [OWN_POST],
    "x/own_thread_xaa.json": [OUR_THREAD],
    "x/own_thread_aaa.json": [OUR_THREAD],
    "x/own_mention_xaa.json": [OWN_POST],
    "x/post_delete_xaa.json": [gone(ADA)],
    "x/post_delete_aaa.json": [gone(ADA, THEN + timedelta(minutes=1))],
    "x/post_delete_without_author_xaa.json": [gone(None)],
    "x/post_delete_without_id_xaa.json": [Unread("deletion without post or account")],
    "x/own_post_delete_xaa.json": [Ignored("own post deleted")],
    "x/own_post_delete_aaa.json": [Ignored("own post deleted")],
    # Direct messages on X
    "x/direct_message_xaa.json": [TWICE],
    "x/direct_message_aaa.json": [TWICE],
    "x/direct_message_without_users_aaa.json": [
        privately(209, "Hello?", author_name=None, author_handle=None)
    ],
    "x/direct_message_photo_xaa.json": [privately(205, "", attachments=("media",))],
    "x/direct_message_photo_aaa.json": [privately(205, "", attachments=("media",))],
    "x/direct_message_with_photo_xaa.json": [
        privately(206, "My case https://t.co/Fictional1", attachments=("media",))
    ],
    "x/direct_message_wordless_xaa.json": [Ignored("direct message without text")],
    "x/direct_message_automated_xaa.json": [
        privately(208, "Thanks for following!", is_answerable=False)
    ],
    "x/direct_message_of_another_kind_xaa.json": [Ignored("direct message event of another kind")],
    "x/direct_messages_several_aaa.json": [
        privately(212, "One"),
        ours_in_private(213, "Hi Ada, which flight?"),
        replace(
            privately(214, "Two"),
            conversation=Conversation(channel="x", account=PROFILE, customer=BO),
            author_name=None,
            author_handle=None,
        ),
    ],
    "x/own_direct_message_xaa.json": [
        ours_in_private(202, "Hi Ada, a colleague has your message.")
    ],
    "x/own_direct_message_aaa.json": [
        ours_in_private(202, "Hi Ada, a colleague has your message.")
    ],
    "x/own_direct_message_received_xaa.json": [
        ours_in_private(203, "Hi Ada, a colleague has your message.")
    ],
    "x/own_direct_message_to_self_xaa.json": [Ignored("own direct message to nobody else")],
    # Encrypted
    "x/chat_received_xaa.json": [encrypted(204)],
    "x/chat_time_in_words_xaa.json": [encrypted(219)],
    "x/chat_sent_xaa.json": [ours_in_private(216, "")],
    "x/own_chat_received_xaa.json": [ours_in_private(217, "")],
    "x/chat_key_change_xaa.json": [UNREADABLE_CHAT],
    "x/chat_without_sender_xaa.json": [UNREADABLE_CHAT],
    # Taken back
    "x/oauth_revoke_xaa.json": [Revoked(account=PROFILE, at=THEN)],
    "x/user_event_revoke_aaa.json": [Revoked(account=PROFILE, at=THEN)],
    "x/oauth_revoke_without_user_xaa.json": [Unread("revocation without account")],
    # Nobody said anything
    "x/typing_xaa.json": [OTHER_EVENT],
    "x/typing_aaa.json": [OTHER_EVENT],
    "x/read_xaa.json": [OTHER_EVENT],
    "x/read_aaa.json": [OTHER_EVENT],
    "x/follow_xaa.json": [OTHER_EVENT],
    "x/follow_aaa.json": [OTHER_EVENT],
    "x/unfollow_xaa.json": [OTHER_EVENT],
    "x/unfollow_aaa.json": [OTHER_EVENT],
    "x/like_xaa.json": [OTHER_EVENT],
    "x/favorite_aaa.json": [OTHER_EVENT],
    "x/mute_xaa.json": [OTHER_EVENT],
    "x/mute_aaa.json": [OTHER_EVENT],
    "x/block_xaa.json": [OTHER_EVENT],
    "x/block_aaa.json": [OTHER_EVENT],
    "x/replay_job_status.json": [OTHER_ENVELOPE],
    # X's envelopes
    "x/times_aaa.json": [
        *(mention(number, "@LarkspurAir what time is it?") for number in range(140, 148)),
        *(privately(number, "What time is it?") for number in (220, 221, 222)),
    ],
    "x/time_offset_xaa.json": [mention(148, "@LarkspurAir what time is it?")],
    "x/scripts_aaa.json": [
        mention(150, "@LarkspurAir שלום, איפה המזוודה שלי?\N{RIGHT-TO-LEFT MARK}", "iw"),
        mention(
            151,
            "@LarkspurAir أين حقيبتي؟ \N{POUTING FACE}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}",
            "ar",
        ),
        mention(152, "@LarkspurAir \N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL} 行李が届かない", "ja"),
        mention(153, "@LarkspurAir half a pair \N{REPLACEMENT CHARACTER} and on", None),
    ],
    "x/scripts_xaa.json": [
        mention(154, "@LarkspurAir אבד \N{LUGGAGE} \N{REPLACEMENT CHARACTER}", None)
    ],
    "x/direct_message_scripts_xaa.json": [
        privately(
            223,
            "أين حقيبتي؟ \N{WOMAN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}\u200d\N{ROCKET} "
            "\N{REPLACEMENT CHARACTER}",
        )
    ],
    "x/mention_without_id_xaa.json": [UNREADABLE_POST],
    "x/mention_without_author_xaa.json": [UNREADABLE_POST],
    "x/mention_without_time_xaa.json": [UNREADABLE_POST],
    "x/mention_without_account_xaa.json": [UNREADABLE_POST],
    "x/mentions_without_ids_aaa.json": [UNREADABLE_POST] * 3,
    "x/mention_without_text_xaa.json": [Ignored("post without text")],
    "x/direct_message_without_sender_aaa.json": [
        Unread("direct message without id, sender, time or account")
    ],
    "x/unknown_event_type_xaa.json": [UNKNOWN_EVENT],
    "x/unknown_list_aaa.json": [UNKNOWN_EVENT],
    "x/empty_lists_aaa.json": [Ignored("event without content")],
    "x/filtered_stream.json": [UNKNOWN_EVENT],
    "x/unknown_envelope.json": [OTHER_ENVELOPE],
    "x/empty_envelope.json": [OTHER_ENVELOPE],
}

ELSEWHERE: dict[str, list[Update]] = {
    "google_business_one_star": [COUNTER],
    "google_business_stars_alone": [told("reviews/Aa2", "", "contributor-118", verdict="negative")],
    "google_business_middling_stars_alone": [NOTHING_SAID],
    "google_business_edited": [
        Edited(
            message=replace(
                COUNTER,
                text="Two hours in the queue, and then somebody helped after all.",
                verdict=None,
            ),
            at=EDITED,
        )
    ],
    "google_business_removed": [
        Removed(
            account=LOCATION,
            customer="contributor-117",
            message_id="google_business:reviews/Aa1",
            at=EDITED,
        )
    ],
    "google_business_own_reply": [
        Spoken(
            account=LOCATION,
            id="google_business.own:reviews/Aa1/reply",
            text="We are sorry about the wait.",
            at=EDITED,
            in_reply_to="google_business:reviews/Aa1",
        )
    ],
    "trustpilot_review": [
        told(
            "tp-5f01",
            "Nie wieder\n\nSeit drei Wochen warte ich auf die Erstattung für meinen Flug.",
            "consumer-210",
            "trustpilot:larkspurair.example",
            verdict="negative",
            language="de",
            permalink="https://trust.example/reviews/tp-5f01",
            reply_url="https://reviews.example:8443/trustpilot/tp-5f01",
        )
    ],
    "trustpilot_five_stars_complaining": [
        told(
            "tp-5f02",
            "Five stars so that somebody reads it\n\n"
            "My suitcase hasn't arrived for three days and nobody answers the phone.",
            "consumer-211",
            "trustpilot:larkspurair.example",
            verdict="positive",
        )
    ],
    "yelp_review_with_photo": [
        told(
            "yelp-9001",
            "Cold coffee, and this is what the table looked like.",
            "yelper-310",
            "yelp:larkspur-air-lounge-york",
            author_name="A guest",
            verdict="negative",
            attachments=("photo",),
            permalink="https://yelp.example/biz/larkspur-air-lounge-york?hrid=yelp-9001",
        )
    ],
    "tripadvisor_several": [
        told(
            "ta-1",
            "Lovely crew\n\nThank you for a wonderful flight!",
            "traveller-410",
            "tripadvisor:d4200",
            verdict="positive",
            reply_url="https://reviews.example/tripadvisor/ta-1",
        ),
        Unread("message without a usable rating, sent_at"),
        Unread("message that is no object"),
        told(
            "ta-4",
            "Which terminal do you leave from?",
            "traveller-413",
            "tripadvisor:d4200",
            kind="question",
            in_reply_to="tripadvisor:topic-7",
            reply_url="https://reviews.example/tripadvisor/ta-4",
        ),
    ],
    "reddit_comment": [
        told(
            "t1_kx01",
            "Has anybody ever got their money back from Larkspur? I haven't.",
            "t2_510",
            "reddit:r/larkspurair",
            kind="comment",
            author_name="a_redditor",
            in_reply_to="reddit:t3_kx00",
            permalink="https://reddit.example/r/larkspurair/comments/kx00/_/kx01",
        )
    ],
    "app_store_review": [
        told(
            "as-610",
            "Plante au démarrage\n\nDepuis la mise à jour, impossible de me connecter.",
            "author-of-app_store:as-610",
            "app_store:com.example.larkspur",
            verdict="negative",
            language="fr",
            is_anonymous=True,
            reply_url="https://reviews.example/app-store/as-610",
        )
    ],
    "forum_private_message": [
        told(
            "pm-710",
            "How do I change the date of my flight?",
            "member-710",
            "forum:travellers.example",
            kind="message",
            public=False,
            reply_url="https://reviews.example/forum/pm-710",
        )
    ],
}
WHAT_BECOMES_OF |= {f"generic/{name}.json": found for name, found in ELSEWHERE.items()}


def test_every_sample_has_a_row_and_every_row_a_sample() -> None:
    assert WHAT_BECOMES_OF.keys() == SAMPLES.keys()


@pytest.mark.parametrize("sample", sorted(WHAT_BECOMES_OF.keys() & SAMPLES.keys()))
def test_a_sample_becomes_exactly_this(sample: str) -> None:
    channel = named(sample.partition("/")[0])
    assert list(channel.parse(SAMPLES[sample])) == WHAT_BECOMES_OF[sample]


@pytest.mark.parametrize("sample", sorted(SAMPLES.keys() - FORMS.keys()))
def test_a_sample_is_let_in_as_its_bytes_stand(sample: str) -> None:
    name, body = sample.partition("/")[0], SAMPLES[sample]
    key = DEMO_SECRET[name][SECRETS[name]][0]
    good = Knock(headers=sealed(name, key, body), body=body, at=datetime.now(UTC))
    assert named(name).is_signed(good, section(name, key))
    assert not named(name).is_signed(replace(good, body=body + b" "), section(name, key))
    for other in names() - {name}:
        assert not named(other).is_signed(good, section(other, key))
    for other in SIGN.keys() - {name}:
        (value,) = good.headers.values() if name in SIGN else [good.headers["webhook-signature"]]
        assert not named(other).is_signed(knock(other, body, value), section(other, key))


@pytest.mark.parametrize("sample", sorted(FORMS))
def test_a_form_signs_itself(sample: str) -> None:
    """Meta's data deletion callback: no header, and no JSON."""
    name, body = sample.partition("/")[0], FORMS[sample]
    assert named(name).is_signed(knock(name, body, None), DEMO_SECRET[name])
    assert not named(name).is_signed(knock(name, body + b"A", None), DEMO_SECRET[name])
    assert not named(name).is_signed(knock(name, body, None), section(name, "another"))
    header = SIGN[name]("another", body)
    assert not named(name).is_signed(knock(name, body, header), section(name, "another"))


@pytest.mark.parametrize("sample", sorted(name for name in SAMPLES if name.startswith("meta/")))
def test_meta_escapes_whatever_is_not_ascii(sample: str) -> None:
    assert SAMPLES[sample].isascii()


def test_one_post_is_one_message_however_often_x_tells_of_it() -> None:
    """As a mention, as a reply, in both families: the Inbox knows it by its id."""
    for told in ("mention_in_reply_as_mention_xaa", "mention_in_reply_as_reply_xaa"):
        (update,) = WHAT_BECOMES_OF[f"x/{told}.json"]
        assert isinstance(update, Message)
        assert (update.id, update.conversation) == (WATER.id, WATER.conversation)


@pytest.mark.parametrize("sample", sorted(name for name in SAMPLES if name.startswith("x/")))
def test_x_escapes_nothing_but_what_cannot_be_encoded(sample: str) -> None:
    escapes = SAMPLES[sample].count(rb"\u")
    assert escapes == SAMPLES[sample].count(rb"\ud83d")
    assert SAMPLES[sample].decode("utf-8")
