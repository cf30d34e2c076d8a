"""Reading what platforms send: total, exact, and in no order."""

import json
import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unicodedata import category

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from firstreply.channels import names
from firstreply.errors import Unreadable
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
from tests.unit.channels.samples import FORMS, SAMPLES, body, named, of, quick

CHANNELS = sorted(names())
PAGE, PROFILE, ADA = "102030405060708", "1500000000000000001", "1600000000000000042"

text = st.text(st.characters(exclude_categories=()), max_size=30)  # lone surrogates too
leaf = st.none() | st.booleans() | st.integers() | st.floats() | text
leaf |= st.sampled_from(["", "0", "feed", "add", "comment", PAGE, PROFILE, 2**70, -1, "9" * 400])
leaf |= st.datetimes().map(datetime.isoformat)
json_value = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


def parsed(name: str, body: bytes) -> list[Update]:
    return list(named(name).parse(body))


def found(name: str, value: object) -> list[Message]:
    return [one for one in parsed(name, body(value)) if isinstance(one, Message)]


def sample(path: str) -> Any:
    return json.loads(SAMPLES[path])


# --- total --------------------------------------------------------------------------------------


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every branch and leaf."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn, name: str) -> Any:
    """A sample with some branches or leaves gone, listed, doubled or of another type."""
    whole: Any = json.loads(draw(st.sampled_from(of(name))))
    for _ in range(draw(st.integers(1, 3))):
        *path, key = draw(st.sampled_from(places(whole)[1:] or [("new",)]))
        parent: Any = whole
        for step in path:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "replace", "remove", "list", "double"])):
            case "replace":
                parent[key] = draw(json_value)
            case "remove":
                parent.pop(key, None) if isinstance(parent, dict) else parent.pop(key)
            case "list":
                parent[key] = [parent.get(key)] if isinstance(parent, dict) else [parent[key]]
            case "double" if isinstance(parent, list):
                parent.append(parent[key])
    assume(whole != [])  # which is no body
    return whole


def everything(value: object) -> Iterator[object]:
    """All that is in an update, at any depth."""
    yield value
    if is_dataclass(value):
        for field in fields(value):
            yield from everything(getattr(value, field.name))
    elif isinstance(value, tuple):
        for one in value:
            yield from everything(one)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from everything(key)
            yield from everything(one)


def ids(update: Update) -> list[str | None]:
    match update:
        case Message():
            return [update.id, update.in_reply_to, update.account, update.conversation.customer]
        case Edited():
            return ids(update.message)
        case Removed() | Hidden():
            return [update.message_id, update.account, update.customer]
        case Spoken():
            return [update.id, update.account, update.customer, update.in_reply_to]
        case Hint():
            return [update.account, *update.about.values()]
        case Revoked():
            return [update.account]
        case Erasure():
            return [update.customer]
    return []


ASKED_FOR = {"facebook_mention", "instagram_comment", "instagram_media"}


def assert_usable(update: Update) -> None:
    """Whatever comes out can be stored, whatever it is."""
    for part in everything(update):
        assert_storable(part)
    for id in ids(update):
        assert id is None or 0 < len(f"REPLY#{id}#ack".encode()) <= 1024, "the longest sort key"
        assert id is None or all(category(char) != "Cc" for char in id)
    if isinstance(update, Ignored | Unread):
        assert 0 < len(update.reason) < 100, "it goes into a log"
    if isinstance(update, Message | Edited):
        assert_keepable(update if isinstance(update, Message) else update.message)
    if isinstance(update, Removed | Hidden):
        assert update.customer != update.account
    if isinstance(update, Spoken):
        is_to_somebody = update.customer and not update.goes_on
        assert is_to_somebody or update.in_reply_to, "said to nobody"
    if isinstance(update, Hint):
        assert len(update.about.keys() & ASKED_FOR) == 1


def assert_storable(part: object) -> None:
    if isinstance(part, str):
        assert part.encode().decode() == part
        assert len(part.encode()) < 300_000
        assert all(category(char) != "Cc" or char in "\t\n\r" for char in part)
    elif isinstance(part, datetime):
        assert part.utcoffset() == timedelta(0)
        assert part + timedelta(days=90) > part - timedelta(days=90)


def assert_keepable(message: Message) -> None:
    assert message.text or message.attachments or message.verdict
    assert message.conversation.customer != message.account
    key = message.conversation.key
    assert len(key.encode()) <= 2048, "the longest partition key"
    assert Conversation.of_key(key) == message.conversation


@pytest.mark.parametrize("kind", [[], {}, ["replied_to"]], ids=str)
def test_a_reference_of_no_kind_is_none(kind: object) -> None:
    whole = sample("x/mention_xaa.json")
    whole["data"]["payload"]["referenced_tweets"] = [{"type": kind, "id": "1"}]
    assert len(found("x", whole)) == 1


@pytest.mark.parametrize("name", CHANNELS)
@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_whatever_is_wrong_in_a_body_it_is_read(name: str, data: st.DataObject) -> None:
    whole = data.draw(mutated(name))
    updates = parsed(name, body(whole))
    assert updates
    for update in updates:
        assert_usable(update)


@pytest.mark.parametrize("name", CHANNELS)
@quick
@given(raw=st.binary() | json_value.map(body))
@example(raw=b"")
@example(raw=b"{}")
@example(raw=b'{"data":[],"entry":{},"for_user_id":{}}')
@example(raw=b"[" * 100_000)
@example(raw=b'{"entry":' * 100_000)
@example(raw=b"\xef\xbb\xbf{}")
@example(raw=b'{"entry":[],"data":"\xff"}')
@example(raw=b"9" * 5_000)
@example(raw=b"[]")
@example(raw=b'[null,5,{},"x"]')
def test_what_is_no_json_object_is_unreadable_and_what_is_one_is_counted(
    name: str, raw: bytes
) -> None:
    try:
        whole = json.loads(raw)
    except (ValueError, RecursionError):
        whole = None
    # Our own schema takes a list of them too.
    is_list = name == "generic" and isinstance(whole, list) and whole
    if isinstance(whole, dict) or is_list:
        assert parsed(name, raw)
    else:
        with pytest.raises(Unreadable) as raised:
            parsed(name, raw)
        assert len(raised.value.reason) < 100, "it goes into a log"


payloads = json_value.map(body) | st.binary(max_size=60)
payloads |= st.fixed_dictionaries({"user_id": json_value, "issued_at": json_value}).map(body)
forms = payloads.map(lambda raw: b"signed_request=a." + urlsafe_b64encode(raw).rstrip(b"="))
forms |= st.binary(max_size=60).map(lambda raw: b"signed_request=" + raw)


@quick
@given(form=forms)
@example(form=b"signed_request=")
@example(form=b"signed_request=a.b.c&signed_request=d")
@example(form=b"signed_request=a.%ff")
def test_a_form_is_an_erasure_or_shown_to_an_operator_or_unreadable(form: bytes) -> None:
    try:
        (update,) = parsed("meta", form)
    except Unreadable:
        return
    assert isinstance(update, Erasure | Unread)
    assert_usable(update)


@pytest.mark.parametrize(
    "name",
    [
        *("Facebook user", "Facebook User", "Facebook-Nutzer", "Usuario de Facebook"),
        *("Utilisateur Facebook", "Utente di Facebook", "Facebook-gebruiker", "Instagram user"),
    ],
)
def test_a_placeholder_of_meta_s_is_no_name(name: str) -> None:
    told = sample("meta/comment_added.json")
    told["entry"][0]["changes"][0]["value"]["from"]["name"] = name
    (message,) = found("meta", told)
    assert message.author_name is None
    assert not message.is_anonymous


def test_a_form_with_many_fields_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        parsed("meta", b"signed_request=a&a=1&b=2&c=3&d=4&e=5")


def test_a_handle_of_any_letters_fits_into_a_key() -> None:
    whole = sample("meta/instagram_mention_in_comment_fetched.json")
    whole["entry"][0]["changes"][0]["value"]["username"] = "\N{POUTING FACE}" * 200
    (update,) = parsed("meta", body(whole))
    assert_usable(update)


@pytest.mark.parametrize(
    "shown",
    [
        {"item": "photo", "photo_id": "8", "link": "https://scontent.example/8.jpg"},
        {"item": "photo", "photo_ids": ["8", "9"]},
        {"item": "video", "video_id": "8", "link": "https://scontent.example/8.mp4"},
    ],
    ids=str,
)
def test_a_picture_without_words_is_something_to_look_at(shown: dict[str, object]) -> None:
    whole = sample("meta/visitor_post.json")
    value = whole["entry"][0]["changes"][0]["value"]
    del value["message"]
    value |= shown
    (update,) = parsed("meta", body(whole))
    assert isinstance(update, Message)
    assert update.attachments == (shown["item"],)


@quick
@given(bad=json_value, rest=mutated("meta"))
def test_a_bad_entry_or_change_hides_no_good_one(bad: object, rest: dict[str, Any]) -> None:
    good = sample("meta/comment_added.json")["entry"][0]
    others = rest.get("entry")
    for entries in ([bad, good], [good, bad], [others, good], [good, *_listed(others)]):
        assert set(found("meta", {"entry": [good]})) <= set(found("meta", {"entry": entries}))
    messaging = sample("meta/messenger_message.json")["entry"][0]["messaging"]
    crowded = good | {"changes": [bad, *good["changes"], bad], "messaging": [bad, *messaging]}
    assert len(found("meta", {"entry": [crowded]})) == 2


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


# --- in no order --------------------------------------------------------------------------------


def multiset(updates: Iterable[Update]) -> Counter[str]:
    return Counter(map(repr, updates))


# What a body of Meta's consists of: from which product, to which account, sent when, and in which
# list of the entry.
type Piece = tuple[str, str, object, str, Any]
LISTS = ("changes", "messaging", "standby")


def pieces(whole: dict[str, Any]) -> Iterator[Piece]:
    for entry in whole["entry"]:
        place = (str(whole.get("object")), str(entry.get("id")), entry.get("time"))
        flat = [{"field": entry["field"], "value": entry["value"]}] if "field" in entry else []
        yield from ((*place, "changes", one) for one in flat)
        yield from ((*place, name, one) for name in LISTS for one in entry.get(name, ()))


PIECES = [piece for raw in of("meta") for piece in pieces(json.loads(raw))]


@st.composite
def packed(draw: st.DrawFn) -> list[dict[str, Any]]:
    """All pieces in any order, in as many bodies, entries and lists as it happens."""
    bodies: list[dict[str, Any]] = []
    for product, account, time, name, piece in draw(st.permutations(PIECES)):
        fitting = [one for one in bodies if one["object"] == product]
        if not fitting or draw(st.booleans()):
            fitting = [{"object": product, "entry": []}]
            bodies += fitting
        entries: list[dict[str, Any]] = fitting[-1]["entry"]
        same = [e for e in entries if (e["id"], e["time"]) == (account, time)]
        if not same or draw(st.booleans()):
            same = [{"id": account, "time": time}]
            entries += same
        if name == "changes" and not same[-1].keys() & {"field", *LISTS} and draw(st.booleans()):
            same[-1] |= piece  # flat
        else:
            same[-1].setdefault(name, []).append(piece)
    return bodies


ONE_BY_ONE = multiset(
    update
    for product, account, time, name, piece in PIECES
    for update in parsed(
        "meta",
        body({"object": product, "entry": [{"id": account, "time": time, name: [piece]}]}),
    )
)


@settings(deadline=None, max_examples=25)
@given(bodies=packed())
def test_meta_s_updates_are_the_same_however_they_are_packed(bodies: list[dict[str, Any]]) -> None:
    assert multiset(one for some in bodies for one in parsed("meta", body(some))) == ONE_BY_ONE


def test_every_update_of_meta_s_samples_is_packed() -> None:
    """Those about a whole entry or body aside."""
    whole = multiset(update for raw in of("meta") for update in parsed("meta", raw))
    about_more = {"entry without", "body without", "values are missing", "test of the dashboard"}
    left = whole - ONE_BY_ONE
    assert not [one for one in left if not any(words in one for words in about_more)]
    assert {kind.__name__ for kind in (Message, Edited, Removed, Hidden, Spoken, Hint)} <= {
        one.partition("(")[0] for one in ONE_BY_ONE
    }


# X's older family puts several things into one body: about which account, what else is said of the
# whole body, and in which list. The newer one tells of one thing at a time, but for messages.
type XPiece = tuple[dict[str, Any], str, Any]


def x_pieces(whole: dict[str, Any]) -> Iterator[XPiece]:
    if "for_user_id" in whole:
        about = {name: one for name, one in whole.items() if not isinstance(one, list)}
        lists = [(name, one) for name, one in whole.items() if isinstance(one, list)]
        yield from ((about, name, piece) for name, listed in lists for piece in listed)
    elif "direct_message_events" in whole.get("data", {}).get("payload", {}):
        whole = json.loads(body(whole))
        events = whole["data"]["payload"].pop("direct_message_events")
        yield from ((whole, "direct_message_events", piece) for piece in events)


X_PIECES = [piece for raw in of("x") for piece in x_pieces(json.loads(raw))]


def with_lists(about: dict[str, Any], lists: dict[str, list[Any]]) -> dict[str, Any]:
    if "data" not in about:
        return about | lists
    data = about["data"]
    return {"data": data | {"payload": data["payload"] | lists}}


@st.composite
def packed_by_x(draw: st.DrawFn) -> list[dict[str, Any]]:
    """All pieces in any order, in as many bodies as it happens."""
    bodies: list[tuple[dict[str, Any], dict[str, list[Any]]]] = []
    for about, name, piece in draw(st.permutations(X_PIECES)):
        fitting = [lists for known, lists in bodies if known == about]
        if not fitting or draw(st.booleans()):
            fitting = [{}]
            bodies.append((about, fitting[0]))
        fitting[-1].setdefault(name, []).append(piece)
    return [with_lists(about, lists) for about, lists in bodies]


# Said once for an envelope that holds nothing else.
ABOUT_THE_ENVELOPE = (Ignored("event of another kind"), Unread("event of an unknown kind"))

X_ONE_BY_ONE = multiset(
    update
    for about, name, piece in X_PIECES
    for update in parsed("x", body(with_lists(about, {name: [piece]})))
    if update not in ABOUT_THE_ENVELOPE
)


@settings(deadline=None, max_examples=50)
@given(bodies=packed_by_x())
def test_x_s_updates_are_the_same_however_they_are_packed(bodies: list[dict[str, Any]]) -> None:
    updates = [one for some in bodies for one in parsed("x", body(some))]
    said = multiset(one for one in updates if one not in ABOUT_THE_ENVELOPE)
    assert said == X_ONE_BY_ONE


def test_every_post_and_message_of_x_s_samples_is_packed() -> None:
    assert {"Message", "Removed", "Spoken", "Unread"} <= {
        one.partition("(")[0] for one in X_ONE_BY_ONE
    }
    kinds = ("mention", "reply", "quote", "direct_message")
    assert [one for one in kinds if not any(f"kind='{one}'" in told for told in X_ONE_BY_ONE)] == []


@quick
@given(bad=json_value, at=st.integers(0, 2))
def test_a_bad_post_or_message_hides_no_good_one(bad: object, at: int) -> None:
    whole = sample("x/direct_messages_several_aaa.json") | {
        "tweet_create_events": sample("x/scripts_aaa.json")["tweet_create_events"]
    }
    good = found("x", whole)
    for name in ("tweet_create_events", "direct_message_events"):
        whole[name].insert(at, bad)
    assert [one for one in found("x", whole) if one in good] == good != []


def test_an_entry_with_comments_and_messages_gives_both() -> None:
    both = sample("meta/comment_added.json")["entry"][0]
    both |= {"messaging": sample("meta/messenger_message.json")["entry"][0]["messaging"]}
    assert [one.network for one in found("meta", {"entry": [both]})] == ["facebook", "messenger"]


def test_two_families_in_one_envelope_give_both() -> None:
    both = sample("x/mention_aaa.json") | sample("x/direct_message_aaa.json")
    assert [one.kind for one in found("x", both)] == ["mention", "direct_message"]


# --- exact --------------------------------------------------------------------------------------


def meta_comment(entry: dict[str, object] | None = None, /, **value: object) -> list[Message]:
    whole = sample("meta/comment_added.json")
    whole["entry"][0] |= entry or {}
    whole["entry"][0]["changes"][0]["value"] |= value
    return found("meta", whole)


def meta_message(
    event: dict[str, object], message: dict[str, object], entry: dict[str, object] | None = None
) -> list[Message]:
    whole = sample("meta/messenger_message.json")
    whole["entry"][0] |= entry or {}
    whole["entry"][0]["messaging"][0] |= event
    whole["entry"][0]["messaging"][0]["message"] |= message
    return found("meta", whole)


def x_mention(**payload: object) -> list[Message]:
    whole = sample("x/mention_xaa.json")
    whole["data"]["payload"] |= payload
    return found("x", whole)


def x_old_mention(**post: object) -> list[Message]:
    whole = sample("x/mention_aaa.json")
    del whole["tweet_create_events"][0]["timestamp_ms"]
    whole["tweet_create_events"][0] |= post
    return found("x", whole)


def x_direct(**event: object) -> list[Message]:
    whole = sample("x/direct_message_xaa.json")
    whole["data"]["payload"]["direct_message_events"][0] |= event
    return found("x", whole)


@quick
@given(seconds=st.integers(1_000_000_000, 4_000_000_000), thousandth=st.integers(0, 999))
def test_one_moment_is_the_same_in_every_notation(seconds: int, thousandth: int) -> None:
    whole = datetime.fromtimestamp(seconds, UTC)
    exact = whole + timedelta(milliseconds=thousandth)
    ms = seconds * 1000 + thousandth
    in_words = whole.strftime("%a %b %d %H:%M:%S +0000 %Y")
    iso = exact.strftime("%Y-%m-%dT%H:%M:%S.") + f"{thousandth:03}Z"
    elsewhere = whole.astimezone().strftime("%Y-%m-%dT%H:%M:%S%z")
    rounded = [
        *meta_comment(created_time=seconds),
        *meta_comment(created_time=str(seconds)),
        *meta_comment(created_time=elsewhere),
        *x_old_mention(created_at=in_words),
    ]
    to_the_thousandth = [
        *meta_message({"timestamp": ms}, {}),
        *meta_message({"timestamp": str(ms)}, {}),
        *x_mention(created_at=iso),
        *x_old_mention(created_at=in_words, timestamp_ms=str(ms)),
        *x_direct(created_timestamp=str(ms)),
    ]
    assert [one.sent_at for one in rounded] == [whole] * 4
    assert [one.sent_at for one in to_the_thousandth] == [exact] * 5


NO_TIMES: list[Any] = [
    *(None, True, False, "", " ", "soon", "1.5e9", "١٢٣", [], {}, float("nan"), float("inf")),
    *(10**18, -(10**18), "9" * 400, 10**400, "0001-01-01", "9999-12-31T23:59:59Z"),
    *("0001-01-01T00:00:00+23:00", "Mon Jan 01 00:00:00 +2300 0001"),
]
no_times = pytest.mark.parametrize("no_time", NO_TIMES, ids=lambda value: str(value)[:30])


@no_times
def test_without_a_time_to_reckon_with_there_is_no_message(no_time: object) -> None:
    assert meta_comment({"time": no_time}, created_time=no_time) == []
    assert meta_message({"timestamp": no_time}, {}, {"time": no_time}) == []
    assert x_mention(created_at=no_time) == []
    assert x_old_mention(created_at=no_time) == []
    assert x_direct(created_timestamp=no_time) == []


@no_times
def test_without_a_time_of_its_own_meta_s_updates_have_the_delivery_s(no_time: object) -> None:
    sent = datetime(2026, 11, 22, 9, 20, 5, tzinfo=UTC)
    assert [one.sent_at for one in meta_comment(created_time=no_time)] == [sent]
    exact = sent.replace(microsecond=123_000)
    assert [one.sent_at for one in meta_message({"timestamp": no_time}, {})] == [exact]


@no_times
@pytest.mark.parametrize(
    "path", ["comment_removed", "comment_hidden", "instagram_comment", "comment_added"]
)
def test_what_cannot_be_dated_is_shown_to_an_operator(path: str, no_time: object) -> None:
    whole = sample(f"meta/{path}.json")
    (entry,) = whole["entry"]
    entry["time"] = no_time
    entry["changes"][0]["value"].pop("created_time", None)
    (update,) = parsed("meta", body(whole))
    assert isinstance(update, Unread)


def visible(said: str) -> str:
    return "".join(char for char in said if category(char) != "Cc" or char in "\t\n\r")


@quick
@given(said=text.filter(visible))
@example(said="שלום, איפה ההזמנה שלי? \N{RIGHT-TO-LEFT MARK}")
@example(said="أين طلبي؟ \N{POUTING FACE}\N{EMOJI MODIFIER FITZPATRICK TYPE-5}")
@example(said="\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}")
@example(said="\ufeffa\0b\u2028")
@example(said="half a pair \ud83d")
@example(said="\ude00\ud83d the wrong way round")
def test_words_survive_and_can_be_encoded(said: str) -> None:
    """Only half a surrogate pair, which no encoding has, is replaced; what controls is left out."""
    kept = {
        one.text
        for one in (
            *meta_comment(message=said),
            *meta_message({}, {"text": said}),
            *x_mention(text=said),
            *x_old_mention(text=said),
        )
    }
    assert len(kept) == 1
    (one,) = kept
    assert one.encode().decode() == one
    joined = visible(json.loads(json.dumps(said)))
    surrogates = any("\ud800" <= char <= "\udfff" for char in joined)
    assert surrogates or one == joined
    assert len(one) == len(joined)
    assert ("\N{REPLACEMENT CHARACTER}" in one) >= surrogates


def test_a_pair_of_escapes_is_one_character() -> None:
    assert SAMPLES["meta/comment_added.json"].count(rb"\ud83d\ude1e") == 1
    assert meta_comment()[0].text.endswith("\N{DISAPPOINTED FACE}")


def test_a_text_longer_than_any_platform_allows_is_cut_to_what_can_be_kept() -> None:
    (one,) = meta_message({}, {"text": "\N{POUTING FACE}" * 200_000})
    assert len(one.text) >= 10_000
    assert len(one.text.encode()) < 300_000


def test_names_and_links_are_cut_to_what_can_be_kept() -> None:
    long = "x" * 100_000
    (one,) = meta_comment(**{"from": {"id": "1", "name": long}, "post": {"permalink_url": long}})
    whole = sample("x/mention_xaa.json")
    whole["data"]["includes"]["users"][0] |= {"name": long, "username": long}
    (other,) = found("x", whole)
    for kept in (one, other):
        for said in (kept.author_name, kept.author_handle, kept.permalink):
            assert len(said or "") <= 2_000


digits = st.integers(1, 2**63 - 1).map(str)


@quick
@given(post=digits, author=digits.filter(lambda id: id != PROFILE), said=st.text().filter(visible))
def test_a_post_is_the_same_message_through_both_families(
    post: str, author: str, said: str
) -> None:
    new, old = sample("x/mention_xaa.json"), sample("x/mention_aaa.json")
    new["data"]["payload"] |= {"id": post, "author_id": author, "text": said}
    new["data"]["includes"]["users"][0]["id"] = author
    tweet = old["tweet_create_events"][0]
    tweet |= {"id": int(float(post)), "id_str": post, "text": said}
    tweet["user"] |= {"id": int(float(author)), "id_str": author}
    assert found("x", new) == found("x", old)
    assert found("x", new)[0].id == post


@quick
@given(id=st.integers(2**53, 2**70))
def test_an_id_beyond_floating_point_is_kept_to_the_last_digit(id: int) -> None:
    for kept in (
        meta_comment(comment_id=id, **{"from": {"id": id + 1}}),
        meta_message({"sender": {"id": id + 1}}, {"mid": id}),
        x_mention(id=id, author_id=id + 1),
        x_old_mention(id=1.5e18, id_str=str(id), user={"id": 1.5e18, "id_str": str(id + 1)}),
    ):
        (one,) = kept
        assert (one.id, one.conversation.customer) == (str(id), str(id + 1))


@pytest.mark.parametrize(
    "no_id", [None, "", ".", "..", True, 1.5, [], {}, "9" * 600, "é" * 200], ids=str
)
def test_without_an_id_to_keep_it_by_there_is_no_message(no_id: object) -> None:
    assert meta_comment(comment_id=no_id) == []
    assert meta_message({}, {"mid": no_id}) == []
    assert meta_message({"sender": {"id": no_id}}, {}) == []
    assert x_mention(id=no_id) == []
    assert x_mention(author_id=no_id) == []
    assert x_old_mention(id_str=no_id) == []
    assert x_direct(id=no_id) == []


# --- never ourselves ----------------------------------------------------------------------------


def words_of(update: Update) -> list[Message]:
    """What is new or changed of a customer's."""
    if isinstance(update, Edited):
        return [update.message]
    return [update] if isinstance(update, Message) else []


WRITTEN = [
    (path, message)
    for path in sorted(SAMPLES.keys() - FORMS.keys())
    for update in parsed(path.partition("/")[0], SAMPLES[path])
    for message in words_of(update)
    if message.conversation.customer.isdecimal()
]


@pytest.mark.parametrize(
    ("path", "message"), WRITTEN, ids=lambda value: getattr(value, "id", value)
)
@pytest.mark.parametrize("notation", ['"{}"', "{}"], ids=["text", "number"])
def test_what_the_account_wrote_itself_is_never_a_message(
    path: str, message: Message, notation: str
) -> None:
    """A sample once more, its customer replaced by the account that it came to."""
    customer, account = message.conversation.customer, message.account
    theirs = re.compile(rf': "?{customer}\b"?'.encode())
    ours, count = theirs.subn(f": {notation.format(account)}".encode(), SAMPLES[path])
    assert count
    updates = parsed(path.partition("/")[0], ours)
    heard = [one for update in updates for one in words_of(update) if one.account == account]
    assert message.id not in [one.id for one in heard]
    assert account not in [one.conversation.customer for one in heard]


def test_whom_the_platform_does_not_name_may_be_ourselves_and_is_marked() -> None:
    for nobody in (None, {}, {"name": "Somebody"}, {"id": ""}, "4711"):
        (one,) = meta_comment(**{"from": nobody})
        assert one.is_anonymous
        assert one.conversation.customer == f"author-of-{one.id}", "a conversation of its own"
    assert not meta_comment()[0].is_anonymous
    assert not meta_comment(**{"from": None, "sender_id": 5})[0].is_anonymous


def test_an_echo_is_ours_whoever_is_named_as_its_sender() -> None:
    for sender in ({"id": "6600110022003300"}, {"id": PAGE}, {}):
        assert meta_message({"sender": sender}, {"is_echo": True}) == []
        assert meta_message({"sender": sender}, {"is_self": True}) == []


def test_a_post_by_somebody_else_about_somebody_else_is_none_of_ours() -> None:
    other = [{"id_str": ADA, "screen_name": "ada_okafor"}, {"id": int(PROFILE)}, "x", None]
    assert x_old_mention(entities={"user_mentions": other}) == []
