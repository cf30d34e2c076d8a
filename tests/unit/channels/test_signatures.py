"""Nobody comes in without the platform's signature, and nothing else gets us to sign."""

import base64
import hmac
import json
from collections.abc import Callable
from hashlib import sha1, sha256

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from firstreply.channels import Answer, Knock
from firstreply.errors import Unreadable
from tests.unit.channels.samples import (
    HEADER,
    SECRETS,
    SIGN,
    knock,
    named,
    quick,
    section,
)

BOTH = sorted(HEADER)
KEY = "a key of the platform's"
BODY = '{"text":"Où est ma commande ? \N{POUTING FACE}"}'.encode()

# Blanks around a secret were pasted with it.
keys = st.text(min_size=1).map(str.strip).filter(bool)
bodies = st.binary().map(lambda some: b"{" + some)
anything = st.text(st.characters(exclude_categories=()), max_size=100)  # lone surrogates too
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)


def is_let_in(name: str, body: bytes, header: str | None, *keys: object) -> bool:
    return named(name).is_signed(knock(name, body, header), section(name, *keys))


# --- what is let in -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "body", "digest"),
    [
        pytest.param(
            "It's a Secret to Everybody",
            b"Hello, World!",
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            id="GitHub's",
        ),
        pytest.param(
            "Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            id="RFC 4231, test case 2",
        ),
    ],
)
def test_a_published_signature_is_let_in(key: str, body: bytes, digest: str) -> None:
    assert is_let_in("meta", body, f"sha256={digest}", key)
    assert is_let_in("x", body, f"sha256={base64.b64encode(bytes.fromhex(digest)).decode()}", key)


@pytest.mark.parametrize("name", BOTH)
@quick
@given(key=keys, body=bodies)
def test_whatever_the_platform_signs_is_let_in(name: str, key: str, body: bytes) -> None:
    assert is_let_in(name, body, SIGN[name](key, body), key)


@pytest.mark.parametrize("name", BOTH)
def test_any_current_secret_will_do_so_that_they_can_be_rotated(name: str) -> None:
    for secrets in (["new", KEY], [KEY, "old"], [None, "", 5, KEY]):
        assert is_let_in(name, BODY, SIGN[name](KEY, BODY), *secrets)
    assert not is_let_in(name, BODY, SIGN[name](KEY, BODY), "new", "old")


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("pasted", [f"{KEY}\n", f" {KEY} ", f"\t{KEY}\r\n"], ids=repr)
def test_a_secret_pasted_with_blanks_around_it_is_the_secret(name: str, pasted: str) -> None:
    assert is_let_in(name, BODY, SIGN[name](KEY, BODY), pasted)


# --- what is not --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOTH)
@quick
@given(key=keys, other=keys, body=bodies)
def test_another_secret_is_refused(name: str, key: str, other: str, body: bytes) -> None:
    # HMAC pads a short key with zeros.
    assume(key.rstrip("\0") != other.rstrip("\0"))
    assert not is_let_in(name, body, SIGN[name](other, body), key)


@pytest.mark.parametrize("name", BOTH)
@quick
@given(body=bodies, data=st.data())
def test_one_bit_of_the_body_changed_is_refused(
    name: str, body: bytes, data: st.DataObject
) -> None:
    at, bit = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(0, 7))
    changed = bytearray(body)
    changed[at] ^= 1 << bit
    assert not is_let_in(name, bytes(changed), SIGN[name](KEY, body), KEY)


@pytest.mark.parametrize("name", BOTH)
@quick
@given(body=bodies, data=st.data())
def test_one_bit_of_the_signature_changed_is_refused(
    name: str, body: bytes, data: st.DataObject
) -> None:
    header = SIGN[name](KEY, body)
    at, bit = data.draw(st.integers(0, len(header) - 1)), data.draw(st.integers(0, 7))
    changed = header[:at] + chr(ord(header[at]) ^ 1 << bit) + header[at + 1 :]
    assert not is_let_in(name, body, changed, KEY)


def test_no_second_spelling_of_a_signature_is_let_in() -> None:
    """A last letter of base64 has bits that say nothing."""
    good = SIGN["x"](KEY, BODY)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spellings = [f"{good[:-2]}{letter}=" for letter in letters]
    assert [one for one in spellings if is_let_in("x", BODY, one, KEY)] == [good]


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: None, id="missing"),
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: "=", id="only ="),
        pytest.param(lambda _: "sha256", id="no ="),
        pytest.param(lambda _: "sha256=", id="no digits"),
        pytest.param(lambda good: good.removeprefix("sha256="), id="no scheme"),
        pytest.param(lambda good: good.replace("sha256", "SHA256"), id="SHA256"),
        pytest.param(lambda good: good.replace("sha256", "sha1"), id="sha1"),
        pytest.param(lambda good: good.replace("sha256", "sha512"), id="sha512"),
        pytest.param(lambda good: good.upper(), id="upper case"),
        pytest.param(lambda good: "sha256=" + good[7:].swapcase(), id="other case"),
        pytest.param(lambda good: good[:-1], id="too short"),
        pytest.param(lambda good: good + good[-1], id="too long"),
        pytest.param(lambda good: good + "\n", id="newline"),
        pytest.param(lambda good: f" {good}", id="blank before"),
        pytest.param(lambda good: good.replace("=", "= ", 1), id="blank within"),
        pytest.param(lambda good: f"{good},{good}", id="twice"),
        pytest.param(lambda good: good + good[6:], id="digits twice"),
        pytest.param(lambda good: "sha256=" + "\N{FULLWIDTH DIGIT ONE}" * 64, id="other digits"),
        pytest.param(lambda good: "sha256=" + "é" * 44, id="not ASCII"),
        pytest.param(lambda good: "sha256=" + "\ud800" * 64, id="lone surrogates"),
        pytest.param(lambda good: "sha256=" + "z" * 64, id="no hex"),
        pytest.param(lambda good: "sha256=" + "-_" * 22, id="base64 for addresses"),
        pytest.param(lambda good: "sha256=" + "0" * 64, id="zeros"),
        pytest.param(lambda good: "sha256=" + "A" * 43 + "=", id="zeros in base64"),
    ],
)
def test_a_malformed_signature_is_refused(name: str, spoil: Callable[[str], str | None]) -> None:
    good = SIGN[name](KEY, BODY)
    assert is_let_in(name, BODY, good, KEY)
    assert not is_let_in(name, BODY, spoil(good), KEY)


@pytest.mark.parametrize("name", BOTH)
def test_sha1_is_refused_in_its_own_header_and_in_the_other(name: str) -> None:
    digest = hmac.new(KEY.encode(), BODY, sha1).digest()
    channel, known = named(name), section(name, KEY)
    for claim in (f"sha1={digest.hex()}", f"sha1={base64.b64encode(digest).decode()}"):
        for header in ("x-hub-signature", "x-twitter-webhooks-signature", HEADER[name]):
            assert not channel.is_signed(Knock(headers={header: claim}, body=BODY), known)


@pytest.mark.parametrize("name", BOTH)
def test_the_other_platform_s_spelling_is_refused(name: str) -> None:
    (other,) = HEADER.keys() - {name}
    assert not is_let_in(name, BODY, SIGN[other](KEY, BODY), KEY)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    "known",
    [
        *([], [""], ["", ""], [" ", "\n"], "", "abc", None, 5, True),
        *([None], [5, True, 0.5], [[]], {"abc": "abc"}),
    ],
    ids=repr,
)
def test_without_a_usable_secret_nobody_is_let_in(name: str, known: object) -> None:
    channel = named(name)
    for key in ("", " ", "\n", "abc", "a", "None", "5", "True", "0.5", "[]"):
        good = knock(name, BODY, SIGN[name](key, BODY))
        assert not channel.is_signed(good, {SECRETS[name]: known})
        assert not channel.is_signed(good, {})


@pytest.mark.parametrize("name", BOTH)
@quick
@given(header=st.none() | anything, body=st.binary(), known=json_values)
def test_a_verdict_is_always_reached(
    name: str, header: str | None, body: bytes, known: object
) -> None:
    assert named(name).is_signed(knock(name, body, header), {SECRETS[name]: known}) is False


@pytest.mark.parametrize("name", BOTH)
def test_the_bytes_are_signed_not_what_they_mean(name: str) -> None:
    text = {"text": "é \N{POUTING FACE} \N{ARABIC LETTER SHEEN}"}
    escaped = json.dumps(text).encode()
    real = json.dumps(text, ensure_ascii=False).encode()
    assert json.loads(escaped) == json.loads(real)
    for signed, sent in ((escaped, real), (real, escaped), (real, real + b"\n")):
        assert is_let_in(name, signed, SIGN[name](KEY, signed), KEY)
        assert not is_let_in(name, sent, SIGN[name](KEY, signed), KEY)


# --- the form that signs itself ------------------------------------------------------------------


def form(payload: bytes, key: str = KEY, *, pad: str = "") -> bytes:
    """Meta's `signed_request`: the HMAC is over the payload as it is encoded."""
    encoded = base64.urlsafe_b64encode(payload).rstrip(b"=")
    signature = base64.urlsafe_b64encode(hmac.new(key.encode(), encoded, sha256).digest())
    return b"signed_request=" + signature.rstrip(b"=") + pad.encode() + b"." + encoded


ASKED = b'{"algorithm":"HMAC-SHA256","issued_at":1795339200,"user_id":"6600110022003300"}'


@quick
@given(key=keys, payload=st.binary())
def test_a_form_is_let_in_by_its_own_signature(key: str, payload: bytes) -> None:
    assert is_let_in("meta", form(payload, key), None, "another", key)
    assert not is_let_in("meta", form(payload, key), None, key + "!", "another")
    assert not is_let_in("meta", form(payload, key), None)


def test_a_form_may_be_padded_but_is_spelled_in_one_way() -> None:
    good = form(ASKED).decode()
    head, _, rest = good.partition(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = [f"{head[:-1]}{letter}.{rest}" for letter in letters]
    let_in = [one for one in spellings if is_let_in("meta", one.encode(), None, KEY)]
    assert let_in == [good]
    assert is_let_in("meta", form(ASKED, pad="="), None, KEY)


@quick
@given(data=st.data())
def test_one_character_of_a_form_changed_is_refused(data: st.DataObject) -> None:
    good = form(ASKED)
    at = data.draw(st.integers(len(b"signed_request="), len(good) - 1))
    changed = bytearray(good)
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    assume(changed[at] not in b"&%+")
    assert not is_let_in("meta", bytes(changed), None, KEY)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: good.partition(b".")[0],
        lambda good: b"signed_request=." + good.partition(b".")[2],
        lambda good: b"signed_request=" + good.partition(b".")[2],
        lambda good: b"signed_request=",
        lambda good: b"signed_request=.",
        lambda good: b"a=b&" + good,
        lambda good: good.replace(b"signed_request", b"Signed_request"),
        lambda good: good.replace(b"signed_request=", b"signed_request=x&signed_request="),
    ],
)
def test_a_spoilt_form_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    assert not is_let_in("meta", spoil(form(ASKED)), None, KEY)


def test_a_header_does_not_open_the_door_to_a_form_nor_a_form_to_json() -> None:
    """Each kind of body is held to its own scheme."""
    forged = b"signed_request=" + b"A" * 43 + b"." + base64.urlsafe_b64encode(ASKED)
    assert not is_let_in("meta", forged, None, KEY)
    assert not is_let_in("meta", forged, SIGN["meta"](KEY, forged), KEY)
    assert not is_let_in("meta", ASKED, None, KEY)
    assert not is_let_in("x", form(ASKED), None, KEY)


@quick
@given(tail=st.binary(), header=st.none() | anything)
@example(tail=b"\xff.\xff", header=None)
@example(tail=b"%ud83d.%00", header="")
def test_a_verdict_on_a_form_is_always_reached(tail: bytes, header: str | None) -> None:
    assert is_let_in("meta", b"signed_request=" + tail, header, KEY) is False


def test_a_verdict_on_a_form_of_many_fields_is_reached() -> None:
    assert is_let_in("meta", form(ASKED) + b"&a=1&b=2&c=3&d=4&e=5", None, KEY) is False


@pytest.mark.parametrize("algorithm", ["none", "HMAC-SHA1", "", None, "HMAC-MD5"])
def test_a_form_s_own_word_on_the_algorithm_is_not_taken(algorithm: object) -> None:
    payload = json.dumps({"algorithm": algorithm, "user_id": "1", "issued_at": 1795339200})
    encoded = base64.urlsafe_b64encode(payload.encode()).rstrip(b"=")
    weak = hmac.new(KEY.encode(), encoded, sha1).digest()
    for signature in (b"", weak, weak + b"\0" * 12):
        claim = base64.urlsafe_b64encode(signature).rstrip(b"=")
        assert not is_let_in("meta", b"signed_request=" + claim + b"." + encoded, None, KEY)


def test_who_asks_for_deletion_is_told_where_to_ask_and_for_what() -> None:
    address = "https://hooks.example/webhooks/meta"
    asked = Knock(body=form(ASKED), address=address)
    answer = named("meta").accept(asked)
    assert (answer.status, answer.content_type) == (200, "application/json")
    told = json.loads(answer.body)
    code = told["confirmation_code"]
    assert told == {"url": f"{address}?deletion={code}", "confirmation_code": code}
    assert named("meta").accept(asked) == answer, "the same at every try"
    other = Knock(body=form(ASKED + b" "), address=address)
    assert named("meta").accept(other) != answer
    page = named("meta").handshake(Knock(query={"deletion": code}, kept_days=30), {})
    assert (page.status, page.content_type) == (200, "text/plain")
    assert code in page.body
    assert "30 days" in page.body


@pytest.mark.parametrize("code", ["<script>", "0" * 17, "é", "../..", "0123456789ABCDEF"])
def test_the_page_about_a_deletion_repeats_no_strange_code(code: str) -> None:
    page = named("meta").handshake(Knock(query={"deletion": code}), {})
    assert page.status == 200
    assert code not in page.body


@pytest.mark.parametrize("name", BOTH)
@quick
@given(body=bodies)
def test_any_other_delivery_is_answered_a_bare_200(name: str, body: bytes) -> None:
    assert named(name).accept(knock(name, body, None)) == Answer(200)


# --- handshakes ---------------------------------------------------------------------------------


def subscribe(**query: str) -> Knock:
    asked = {"mode": "subscribe", "verify_token": "let me in", "challenge": "1158201444"}
    return Knock(query={f"hub.{name}": value for name, value in {**asked, **query}.items()})


@pytest.mark.parametrize("challenge", ["1158201444", "0", "007", " 5 ", '"5"', "", "5\n", "é"])
def test_meta_s_challenge_comes_back_bare_and_unchanged(challenge: str) -> None:
    answer = named("meta").handshake(subscribe(challenge=challenge), {"verify_token": "let me in"})
    assert answer == Answer(200, challenge, "text/plain")


@pytest.mark.parametrize(
    "token", ["", "let me", "let me in ", "LET ME IN", "let me in\0", "é", "\ud800", "None"]
)
def test_meta_s_challenge_does_not_come_back_to_a_wrong_token(token: str) -> None:
    answer = named("meta").handshake(subscribe(verify_token=token), {"verify_token": "let me in"})
    assert answer.status == 403
    assert "1158201444" not in answer.body
    assert "let me in" not in answer.body


@pytest.mark.parametrize("known", ["", None, 5, True, []], ids=repr)
@pytest.mark.parametrize("token", ["", "None", "5", "True", "[]"])
def test_without_a_verify_token_of_ours_there_is_no_right_one(known: object, token: str) -> None:
    for secret in ({}, {"verify_token": known}):
        assert named("meta").handshake(subscribe(verify_token=token), secret).status == 403


@pytest.mark.parametrize("missing", ["hub.mode", "hub.verify_token"])
def test_half_a_question_of_meta_is_refused(missing: str) -> None:
    query = {name: value for name, value in subscribe().query.items() if name != missing}
    answer = named("meta").handshake(Knock(query=query), {"verify_token": "let me in"})
    assert answer.status == 403
    other_mode = subscribe(mode="unsubscribe")
    assert named("meta").handshake(other_mode, {"verify_token": "let me in"}).status == 403


def test_a_verify_token_of_any_letters_is_recognised() -> None:
    for token in ("ключ", "\ud800"):
        answer = named("meta").handshake(subscribe(verify_token=token), {"verify_token": token})
        assert answer.status == 200


def crc(token: str, *keys: object) -> Answer:
    return named("x").handshake(Knock(query={"crc_token": token}), section("x", *keys))


def test_x_s_check_is_answered_with_a_published_digest() -> None:
    """The example of Wikipedia's page on HMAC."""
    digest = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    answer = crc("The quick brown fox jumps over the lazy dog", "key")
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert json.loads(answer.body) == {
        "response_token": f"sha256={base64.b64encode(bytes.fromhex(digest)).decode()}"
    }


@pytest.mark.parametrize("secrets", [(), ("",), (None,), (5, [])])
def test_x_s_check_fails_without_a_secret(secrets: tuple[object, ...]) -> None:
    assert crc("challenge", *secrets).status == 403


def test_x_s_check_is_answered_with_the_current_secret() -> None:
    assert crc("challenge", "new", "old") == crc("challenge", "new") != crc("challenge", "old")


def test_x_s_check_needs_a_token() -> None:
    assert named("x").handshake(Knock(), section("x", KEY)).status == 403
    assert crc("", KEY).status == 403


@pytest.mark.parametrize(
    "token",
    [
        '{"data":{}}',
        "{}",
        "[]",
        '"text"',
        "a" * 257,
        "a\n",
        "{\0}\0",
        "a,b",
        "a:b",
        "é",
        "\ud800",
    ],
)
def test_x_s_check_signs_nothing_that_could_be_a_body(token: str) -> None:
    """The answer is a signature with the key of deliveries: see handshake in x.py."""
    answer = crc(token, KEY)
    assert answer.status == 403
    assert "sha256" not in answer.body


tokens = st.from_regex(r"[A-Za-z0-9 +/=_.~-]{1,256}", fullmatch=True) | anything
tokens |= json_values.map(json.dumps) | st.sampled_from(["123", "1e5", "true", "null", "-0", "NaN"])


@quick
@given(token=tokens)
@example(token="1" * 256)
def test_what_x_s_check_signs_is_no_delivery(token: str) -> None:
    """Neither let in, should somebody post the token with the answer as its signature, nor read."""
    answer = crc(token, KEY)
    if answer.status == 200:
        body, header = token.encode(), json.loads(answer.body)["response_token"]
        assert header == SIGN["x"](KEY, body)
        assert not is_let_in("x", body, header, KEY)
        with pytest.raises(Unreadable):
            list(named("x").parse(body))
    else:
        assert "sha256=" not in answer.body
