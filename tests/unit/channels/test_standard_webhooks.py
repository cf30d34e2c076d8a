"""Standard Webhooks: nobody comes in without a signature of just now, and ours is anybody's."""

import base64
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from firstreply.channels import Entrance, Knock, entrance
from firstreply.channels._standard_webhooks import signed
from firstreply.errors import Refuse
from tests.unit.channels.samples import quick, standard_headers

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
BODY = '{"text":"Où est ma commande ? \N{POUTING FACE}"}'.encode()


def whsec(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


KEY, OLD = whsec(b"a key of the helpdesk's, long"), whsec(b"the key that it had before")
keys = st.binary(min_size=24, max_size=80).map(whsec)
ids = st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]), min_size=1, max_size=80)
ids = ids.filter(lambda one: "." not in one)
anything = st.text(st.characters(exclude_categories=()), max_size=60)  # lone surrogates too

both = pytest.mark.parametrize("name", ["generic", "helpdesk"])


def named(name: str) -> Entrance:
    found = entrance(name)
    assert found
    return found


def is_let_in(
    name: str,
    headers: dict[str, str],
    *known: object,
    body: bytes = BODY,
    at: datetime | None = AT,
) -> bool:
    knock = Knock(headers=headers, body=body, at=at)
    return named(name).is_signed(knock, {"secrets": list(known)})


@both
@quick
@given(key=keys, body=st.binary(), one=ids)
def test_whatever_they_sign_is_let_in(name: str, key: str, body: bytes, one: str) -> None:
    headers = standard_headers(key, body, one=one, at=AT)
    assert is_let_in(name, headers, key, body=body)


@quick
@given(key=keys, old=keys, body=st.binary())
def test_what_we_sign_is_let_in_by_who_has_any_of_our_secrets(
    key: str, old: str, body: bytes
) -> None:
    headers = dict(signed({"secrets": [key, old]}, "reply_1", AT, body))
    assert is_let_in("generic", headers, key, body=body)
    assert is_let_in("generic", headers, old, body=body)
    assert (
        headers["webhook-signature"].split(" ")[0]
        == (standard_headers(key, body, one="reply_1", at=AT)["webhook-signature"])
    )


@pytest.mark.parametrize("secret", [{}, {"secrets": []}, {"secrets": ["whsec_", "abc", None]}])
def test_without_a_usable_secret_nothing_is_signed(secret: dict[str, Any]) -> None:
    with pytest.raises(Refuse):
        signed(secret, "reply_1", AT, BODY)


@both
def test_any_current_secret_will_do_so_that_they_can_be_rotated(name: str) -> None:
    by_old = standard_headers(OLD, BODY, at=AT)
    for known in ([KEY, OLD], [OLD, KEY], [None, "", 5, "whsec_???", f" {OLD}\n"]):
        assert is_let_in(name, by_old, *known)
    assert not is_let_in(name, by_old, KEY)
    two = standard_headers(KEY, BODY, at=AT)
    two["webhook-signature"] = f"{by_old['webhook-signature']} {two['webhook-signature']}"
    assert is_let_in(name, two, KEY)
    assert is_let_in(name, two, OLD)


@both
@quick
@given(key=keys, other=keys, body=st.binary())
def test_another_secret_is_refused(name: str, key: str, other: str, body: bytes) -> None:
    # HMAC pads a short key with zeros.
    plain = [base64.b64decode(one.removeprefix("whsec_")).rstrip(b"\0") for one in (key, other)]
    assume(plain[0] != plain[1])
    assert not is_let_in(name, standard_headers(other, body, at=AT), key, body=body)


@both
@quick
@given(body=st.binary(min_size=1), data=st.data())
def test_one_bit_changed_anywhere_is_refused(name: str, body: bytes, data: st.DataObject) -> None:
    headers = standard_headers(KEY, body, at=AT)
    part = data.draw(st.sampled_from(["body", *headers]))
    whole = bytearray(body if part == "body" else headers[part].encode())
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    whole[at] ^= 1 << bit
    if part == "body":
        assert not is_let_in(name, headers, KEY, body=bytes(whole))
    else:
        changed = headers | {part: whole.decode("latin-1")}
        assert not is_let_in(name, changed, KEY, body=body)


@both
@pytest.mark.parametrize(
    ("seconds", "passes"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)]
)
def test_what_was_signed_too_long_ago_or_ahead_is_refused(
    name: str, seconds: int, passes: bool
) -> None:
    later = AT + timedelta(seconds=seconds)
    assert is_let_in(name, standard_headers(KEY, BODY, at=AT), KEY, at=later) is passes


@both
def test_when_nobody_says_what_time_it_is_nothing_passes(name: str) -> None:
    assert not is_let_in(name, standard_headers(KEY, BODY, at=AT), KEY, at=None)


@both
@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_is_needed(name: str, missing: str) -> None:
    headers = standard_headers(KEY, BODY, at=AT)
    del headers[missing]
    assert not is_let_in(name, headers, KEY)


@both
@pytest.mark.parametrize("one", ["", "msg.1", "msg 1", "msg\n", "é", "x" * 501])
def test_an_id_that_could_be_misread_is_refused(name: str, one: str) -> None:
    assert not is_let_in(name, standard_headers(KEY, BODY, one=one, at=AT), KEY)


def test_id_time_and_body_cannot_be_shifted_against_each_other() -> None:
    """All three spell the same signed content."""
    stamp = int(AT.timestamp())
    good = standard_headers(KEY, f"{stamp}.5".encode(), one="msg", at=AT)
    shifted = good | {"webhook-id": f"msg.{stamp}"}
    assert is_let_in("generic", good, KEY, body=f"{stamp}.5".encode())
    assert not is_let_in("generic", shifted, KEY, body=b"5")


@both
@pytest.mark.parametrize(
    "stamp", ["", "now", "1e9", "-1", "+1", " 1", "1_0", "0x10", "١٢٣", "9" * 13, "9" * 5_000, "1."]
)
def test_a_time_that_is_no_number_of_seconds_is_refused(name: str, stamp: str) -> None:
    headers = standard_headers(KEY, BODY, at=AT) | {"webhook-timestamp": stamp}
    assert not is_let_in(name, headers, KEY)


def test_no_second_spelling_of_a_signature_is_let_in() -> None:
    """A last letter of base64 has bits that say nothing."""
    headers = standard_headers(KEY, BODY, at=AT)
    good = headers["webhook-signature"]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spellings = [f"{good[:-2]}{letter}=" for letter in letters]
    spellings += [good[:-1], good[3:], good.upper(), good.replace(",", ", "), f"{good},{good}"]
    spellings += [good.replace("v1,", other) for other in ("v1a,", "v2,", "V1,", "v1=", ",")]
    let_in = [
        one for one in spellings if is_let_in("generic", headers | {"webhook-signature": one}, KEY)
    ]
    assert let_in == [good]


@both
@pytest.mark.parametrize(
    "weak", [b"", b"short", b"x" * 23], ids=["empty", "short", "a byte too short"]
)
def test_a_secret_that_could_be_guessed_opens_nothing(name: str, weak: bytes) -> None:
    headers = standard_headers(whsec(weak), BODY, at=AT)
    assert not is_let_in(name, headers, whsec(weak))


def test_a_thousand_claims_cost_no_more_than_one() -> None:
    body = b"x" * 4_000_000
    headers = standard_headers(KEY, body, at=AT) | {"webhook-signature": "v1, " * 2_000}
    began = process_time()
    assert not is_let_in("generic", headers, KEY, OLD, body=body)
    assert process_time() - began < 2


@both
def test_a_secret_without_its_prefix_is_none(name: str) -> None:
    """It may be a password, or another scheme's."""
    assert not is_let_in(name, standard_headers(KEY, BODY, at=AT), KEY.removeprefix("whsec_"))


@both
@quick
@given(
    headers=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]),
        anything | st.just("1") | st.just(str(int(AT.timestamp()))),
    ),
    body=st.binary(),
    known=st.none() | anything | st.lists(st.none() | st.integers() | anything | keys, max_size=3),
)
def test_a_verdict_is_always_reached(
    name: str, headers: dict[str, str], body: bytes, known: object
) -> None:
    knock = Knock(headers=headers, body=body, at=AT)
    assert named(name).is_signed(knock, {"secrets": known}) is False


@both
def test_there_is_no_handshake(name: str) -> None:
    assert named(name).handshake(Knock(), {"secrets": [KEY]}).status == 403
