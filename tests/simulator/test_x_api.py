"""X takes FirstReply's replies, and refuses them in X's words."""

import httpx
import pytest

from local.simulator.x_length import weight
from tests.simulator.client import PROFILE, Client, Receiver


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"title", "type", "detail"} <= set(problem)
    return answer.status_code, problem["detail"]


def test_a_mention_is_answered_and_remembered(client: Client) -> None:
    mention = client.say("x_mention", author={"id": "77"})["id"]
    answer = client.post(mention, "So sorry")
    [said] = client.said()
    assert answer.status_code == 201
    assert answer.json()["data"]["id"] == said["id"]
    assert answer.json()["data"]["text"] == "So sorry"
    assert (said["platform"], said["kind"], said["account"]) == ("x", "post", PROFILE)
    assert (said["in_reply_to"], said["to"]) == (mention, "77")
    assert said["ms_after"] > 0


def test_a_direct_message_is_answered_and_listed(client: Client) -> None:
    first = client.say("x_direct_message", "Where is it?", author={"id": "77"})["id"]
    data = client.direct("77", "So sorry").json()["data"]
    listed = client.x("GET", "dm_conversations/with/77/dm_events?dm_event.fields=sender_id").json()
    assert client.said()[0]["in_reply_to"] == first
    assert data == {"dm_conversation_id": "77-3333", "dm_event_id": client.said()[0]["id"]}
    assert [event["sender_id"] for event in listed["data"]] == [PROFILE, "77"]
    assert {event["event_type"] for event in listed["data"]} == {"MessageCreate"}
    assert [event["text"] for event in listed["data"]] == ["So sorry", "Where is it?"]


def test_own_posts_are_listed_newest_first(client: Client) -> None:
    mentions = [client.say("x_mention")["id"] for _ in range(6)]
    ids = [client.post(id, f"Reply {n}").json()["data"]["id"] for n, id in enumerate(mentions)]
    path = f"users/{PROFILE}/tweets?max_results=5&tweet.fields=referenced_tweets%2Ccreated_at"
    page = client.x("GET", path).json()
    rest = client.x("GET", f"{path}&pagination_token={page['meta']['next_token']}").json()
    listed = page["data"] + rest["data"]
    assert [post["id"] for post in listed] == ids[::-1]
    assert listed[0]["referenced_tweets"] == [{"type": "replied_to", "id": mentions[-1]}]
    assert listed[0]["created_at"].endswith("Z")
    assert "in_reply_to_user_id" not in listed[0]
    assert "next_token" not in rest["meta"]


def test_where_nothing_was_said_there_is_no_data(client: Client) -> None:
    assert client.x("GET", f"users/{PROFILE}/tweets").json() == {"meta": {"result_count": 0}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"consumer_secret": "wrong"},
        {"resource_owner_secret": "wrong"},
        {"resource_owner_key": "wrong"},
        {"client_key": "wrong"},
        {"signature_method": "PLAINTEXT"},
    ],
)
def test_a_wrong_signature_is_refused(wrong: dict[str, str], client: Client) -> None:
    mention = client.say("x_mention")["id"]
    assert refusal(client.post(mention, **wrong)) == (401, "Unauthorized")
    assert client.said() == []


def test_a_signature_is_of_one_address_and_method(client: Client) -> None:
    client.say("x_direct_message", author={"id": "77"})
    events = "/x/2/dm_conversations/with/77/dm_events"
    headers = client.signed("GET", events)
    assert client.http.get(f"{events}?max_results=5", headers=headers).status_code == 401
    assert client.http.get(f"/x/2/users/{PROFILE}/tweets", headers=headers).status_code == 401
    assert client.http.get(events, headers=headers).status_code == 200
    for nonsense in ("", "Bearer token", "OAuth", "OAuth nonsense"):
        answer = client.http.get(events, headers={"Authorization": nonsense})
        assert answer.status_code == 401, nonsense


def test_both_consumer_secrets_are_good_while_they_rotate(client: Client) -> None:
    mention = client.say("x_mention")["id"]
    assert client.post(mention, consumer_secret="consumer-secret-before").status_code == 201


def test_a_text_of_just_now_is_refused(client: Client) -> None:
    first, second = (client.say("x_mention")["id"] for _ in range(2))
    client.post(first, "So sorry")
    assert client.post(second, "So very sorry").status_code == 201
    status, detail = refusal(client.post(second, "So sorry"))
    assert status == 403
    assert "duplicate content" in detail
    client.http.post("/settings", json={"x_duplicate_seconds": 0})
    assert client.post(second, "So sorry").status_code == 201


@pytest.mark.parametrize("family", ["xaa", "aaa"])
def test_who_did_not_summon_the_brand_is_not_answered(
    family: str, client: Client, receiver: Receiver
) -> None:
    reply = client.say("x_mention", "late again", mention=False, family=family)["id"]
    client.http.delete("/")
    client.deliver("x", receiver.delivered[0].body)
    status, detail = refusal(client.post(reply))
    assert status == 403
    assert "not been mentioned" in detail


def test_a_post_that_is_gone_cannot_be_answered(client: Client) -> None:
    status, detail = refusal(client.post("12345"))
    assert status == 403
    assert "deleted" in detail


def test_only_who_wrote_first_gets_a_direct_message(client: Client) -> None:
    client.say("x_mention", author={"id": "77"})
    status, detail = refusal(client.direct("77"))
    assert status == 403
    assert "permission" in detail


@pytest.mark.parametrize(
    "body",
    [
        *({"text": "Hi", "colour": "red"}, {"text": ""}, {}, [], {"text": "a" * 281}),
        *({"text": "Hi", "reply": {}}, {"text": "Hi", "reply": "12345"}),
        {"text": "Hi", "reply": {"in_reply_to_tweet_id": "12345", "colour": "red"}},
        {"text": "Hi", "reply": {"in_reply_to_tweet_id": 12345}},
        {"text": "Hi", "made_with_ai": "yes"},
        {"text": "Hi", "direct_message_deep_link": "https://example.com/"},
    ],
)
def test_a_malformed_post_is_refused(body: object, client: Client) -> None:
    answer = client.x("POST", "tweets", body)
    assert refusal(answer)[0] == 400
    assert answer.json()["errors"]


def test_the_limit_is_shown_and_kept(client: Client) -> None:
    client.http.post("/settings", json={"x_post_limit": 2})
    answers = [client.post(client.say("x_mention")["id"], f"Reply {n}") for n in range(3)]
    left = [answer.headers["x-rate-limit-remaining"] for answer in answers]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert left == ["1", "0", "0"]
    assert {answer.headers["x-rate-limit-limit"] for answer in answers} == {"2"}
    assert len({answer.headers["x-rate-limit-reset"] for answer in answers}) == 1
    assert len(client.said()) == 2


def test_the_usual_limits_are_those_of_x(client: Client) -> None:
    mention = client.reply("x_mention")
    direct = client.reply("x_direct_message")
    assert mention.headers["x-rate-limit-limit"] == "100"
    assert direct.headers["x-rate-limit-limit"] == "15"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Hello, world! 👋", 16),
        ("e\u0301", 1),  # composed
        ("你好", 4),
        ("👨‍👩‍👧‍👦", 2),
        ("👍🏽 🇩🇪 1️⃣", 8),
        ("see https://example.com/a/very/long/path?with=query.", 4 + 23 + 1),
    ],
)
def test_length_is_weighed_as_x_does(text: str, length: int) -> None:
    assert weight(text) == length


def test_x_tells_the_account_what_it_said(client: Client, receiver: Receiver) -> None:
    client.http.post("/settings", json={"echo": True})
    client.reply("x_mention")
    client.reply("x_direct_message")
    events = [delivered.body["data"] for delivered in receiver.wait_for(4)]
    by_type = {event["event_type"]: event["payload"] for event in events}
    post, direct = client.said()
    assert by_type["post.create"]["author_id"] == PROFILE
    assert by_type["post.create"]["id"] == post["id"]
    [sent] = by_type["dm.sent"]["direct_message_events"]
    assert (sent["id"], sent["message_create"]["sender_id"]) == (direct["id"], PROFILE)
