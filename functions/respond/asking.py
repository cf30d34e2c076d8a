"""What the ReplyQueue asks for, read so that whoever wrote a text hears that it cannot be said."""

from json import loads
from typing import Any

from firstreply.channels._read import LONGEST_TEXT, clean
from firstreply.contracts import ReplyRequested


def read(body: str) -> tuple[ReplyRequested, str]:
    """The request, and what is wrong with its text, if anything is: then as much of it as there is
    room for. ValidationError if it is no request: it names no case to be told to."""
    event = loads(body)
    text = _text(event)
    if text is None:
        return ReplyRequested.model_validate(event), ""
    is_blank = not text.strip()
    if is_blank and event["data"].get("close_case"):
        text, is_blank = "", False  # who only closes it has nothing to say
    wrong = "text: nothing but blanks" if is_blank else ""
    if len(text) > LONGEST_TEXT:
        wrong = f"text: longer than {LONGEST_TEXT:,} characters; this is its beginning"
    # The contract has limits too, and is asked about all the rest.
    request = _with(event, "-" if wrong else text)
    data = request.data.model_copy(update={"text": text[:LONGEST_TEXT]})
    return request.model_copy(update={"data": data}), wrong


def _text(event: Any) -> str | None:  # noqa: ANN401  (any JSON)
    data = event.get("data") if isinstance(event, dict) else None
    text = data.get("text") if isinstance(data, dict) else None
    return clean(text) if isinstance(text, str) and text else None


def _with(event: dict[str, Any], text: str) -> ReplyRequested:
    return ReplyRequested.model_validate({**event, "data": {**event["data"], "text": text}})
