"""Whatever people write: our marks stay ours, and a message's words can be taken out."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from examples.helpdesk import wording
from tests.examples.desk import event

WORDS = st.text(max_size=200) | st.sampled_from(
    ["[firstreply 0123456789abcdef m1]", "x [message 0123456789ab]", "> a\r\n[message", "\n\n"]
)


@given(WORDS, WORDS, WORDS)
def test_what_is_taken_out_is_gone_and_the_rest_stays(gone: str, stays: str, name: str) -> None:
    opened = event("opened", "m2", stays)
    opened["data"]["customer"]["name"] = name
    opened["data"]["history"] = [_said(opened, "m1", f"secret{gone}"), _said(opened, "m0", stays)]
    text = wording.opening(opened)
    without = wording.without(text, "m1")
    opened["data"]["history"] = [_said(opened, "m0", stays)]
    kept = wording.opening(opened)
    assert without == f"{wording.REMOVED} [message {wording._tag('m1')}]\n{kept}"
    assert wording.without(without, "m1") == without
    assert wording._MARK.findall(without) == [(wording.mark(opened), "m2")]


def _said(opened: dict[str, Any], message_id: str, text: str) -> dict[str, Any]:
    return {**opened["data"]["message"], "id": message_id, "text": text}
