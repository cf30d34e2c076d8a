"""make classify."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from firstreply import brand
from functions.classify.offline import Falling, offline
from local.classify import classify, main
from tests.unit.channels.samples import ROOT
from tests.unit.test_trained import message

FIELDS = [
    *("id", "intent", "topic", "sentiment", "journey", "urgency", "language", "confidence"),
    *("unsure", "reasons"),
]
COMPLAINT = "My order arrived damaged and nobody answers my emails. Unacceptable!"


@dataclass
class Said:
    """What came of some lines: an exit code, answers, complaints."""

    code: int
    out: bytes
    complaints: list[str] = field(default_factory=list)

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.decode("utf-8").splitlines()]


def run(*lines: object) -> Said:
    """Lines as bytes, or as what JSON is to be made of."""
    out, complaints = io.BytesIO(), list[str]()
    code = classify(_bytes(lines), out, complaints.append)
    return Said(code, out.getvalue(), complaints)


def _bytes(lines: Iterable[object]) -> Iterable[bytes]:
    return (one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in lines)


def test_an_answer_has_its_fields_in_their_order() -> None:
    said = run({"id": "a", "text": COMPLAINT})
    (answer,) = said.answers
    assert list(answer) == FIELDS
    assert (said.code, said.complaints) == (0, [])
    assert (answer["id"], answer["intent"], answer["language"]) == ("a", "complaint", "en")


def test_it_answers_what_the_function_s_classifier_would() -> None:
    text, policy = (
        "My lawyer: you charged me twice!",
        brand.policy(cool_down_minutes=30, auto_reply=True),
    )
    found = offline(policy.complaint_bands).understand(message(text, language="en"))
    (answer,) = run({"id": 1, "text": text, "language": "en", "channel": "x"}).answers
    assert answer == {
        "id": 1,
        "intent": found.intent,
        "topic": found.topics[0],
        "sentiment": found.sentiment,
        "journey": found.journey,
        "urgency": "high",
        "language": "en",
        "confidence": found.confidence,
        "unsure": found.unsure,
        "reasons": list(found.reasons),
    }


def test_the_same_lines_are_answered_the_same_and_in_their_order() -> None:
    lines = [{"id": number, "text": f"Where is my parcel number {number}?"} for number in range(20)]
    first, second = run(*lines), run(*lines)
    assert [answer["id"] for answer in first.answers] == list(range(20))
    assert first == second


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"nope\n", "not JSON"),
        (b"{'id': 1}\n", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": 1, "text": "caf\xe9"}\n', "not UTF-8"),
        (b'[{"id": 1, "text": "a"}]\n', "not a JSON object"),
        (b"null\n", "not a JSON object"),
        ({"text": "a"}, "no id"),
        ({"id": None, "text": "a"}, "no id"),
        ({"id": True, "text": "a"}, "id is not a string or a whole number"),
        ({"id": [1], "text": "a"}, "id is not a string or a whole number"),
        ({"id": 1}, "no text"),
        ({"id": 1, "text": 5}, "text is not a string"),
        ({"id": 1, "text": ["a"]}, "text is not a string"),
        ({"id": 1, "text": "a", "language": 1}, "language is not a string"),
        ({"id": 1, "text": "a", "channel": {}}, "channel is not a string"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_goes_on(line: object, complaint: str) -> None:
    good = {"id": "good", "text": "hello"}
    said = run(good, b"\n", line, good)
    assert said.code == 1
    assert said.complaints == [f"line 3: {complaint}"]
    assert [answer["id"] for answer in said.answers] == ["good", "good"]


def test_a_line_that_we_fail_on_is_named_without_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    understand = Falling.understand

    def fails_on_zebras(self: Falling, one: Any) -> Any:
        if "zebra" in one.text:
            raise KeyError(one.text)
        return understand(self, one)

    monkeypatch.setattr(Falling, "understand", fails_on_zebras)
    said = run({"id": 1, "text": "a zebra"}, {"id": 2, "text": "hello"})
    assert (said.code, said.complaints) == (1, ["line 1: cannot be classified: KeyError"])
    assert [answer["id"] for answer in said.answers] == [2]


def test_blank_lines_and_other_ends_of_lines_are_no_lines() -> None:
    good = b'{"id": 1, "text": "a\\u2028b", "language": null}'
    said = run(b"\xef\xbb\xbf" + good + b"\r\n", b"\r\n", b"\n", b" \t\n", good)
    assert (said.code, len(said.answers), said.complaints) == (0, 2, [])
    assert run(b"\xef\xbb\xbf\n") == run() == Said(0, b"")


def test_any_text_is_answered_in_utf_8() -> None:
    texts = ["", "é😡", "أين طلبي", "x" * 10_000, "half \ud83d", "line\nbreak"]
    said = run(*({"id": f"ü\ud83d{number}", "text": text} for number, text in enumerate(texts)))
    assert [answer["id"] for answer in said.answers] == [f"ü\ud83d{n}" for n in range(len(texts))]
    assert said.code == 0
    assert "ü".encode() in said.out


def test_a_card_s_number_is_masked_as_it_is_in_the_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str] = []
    understand = Falling.understand

    def notes(self: Falling, one: Any) -> Any:
        seen.append(one.text)
        return understand(self, one)

    monkeypatch.setattr(Falling, "understand", notes)
    run({"id": 1, "text": "you charged 4111 1111 1111 1111 twice"})
    assert seen == ["you charged [card number] twice"]


# --- the command itself ---------------------------------------------------------------------------


def command(*arguments: str, **how: Any) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers/common")])
    return subprocess.Popen(
        [sys.executable, "-m", "local.classify", *arguments],
        env={"PYTHONPATH": path, "LC_ALL": "C", "PATH": os.environ["PATH"]},
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **how,
    )


def test_a_pipe_is_answered_line_by_line_in_any_locale() -> None:
    with command() as process:
        assert process.stdin
        assert process.stdout
        for text in ("Wo ist mein Päckchen? 😡", "¿Dónde está mi pedido?"):
            process.stdin.write(json.dumps({"id": text, "text": text}, ensure_ascii=False).encode())
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline().decode("utf-8"))["id"] == text
        out, errors = process.communicate(b"nope\n")
    assert (out, errors, process.returncode) == (b"", b"line 3: not JSON\n", 1)


def test_who_reads_no_further_sees_no_traceback(tmp_path: Path) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text('{"id": 1, "text": ""}\n' * 5_000)
    with command(str(many)) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_file_is_read_and_one_that_is_not_there_is_named(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    there = tmp_path / "messages.jsonl"
    there.write_text('{"id": 1, "text": "hello"}\n')
    assert main([str(there)]) == 0
    out, errors = capsysbinary.readouterr()
    assert (json.loads(out)["id"], errors) == (1, b"")
    assert main([str(tmp_path / "nowhere")]) == 2
    out, errors = capsysbinary.readouterr()
    assert out == b""
    assert b"nowhere" in errors


def test_what_falls_back_is_told_beside_the_answers(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In Lambda, counts and logs go where the answers are here."""
    there = tmp_path / "messages.jsonl"
    there.write_text('{"id": 1, "text": "hello"}\n')
    monkeypatch.delenv("POWERTOOLS_METRICS_NAMESPACE", raising=False)
    monkeypatch.setattr("functions.classify.offline.encoders", _fails)
    assert main([str(there)]) == 0
    out, errors = capsysbinary.readouterr()
    assert list(json.loads(out)) == FIELDS
    assert b"EncoderFellBack" in errors


def _fails(*_: Any) -> Any:
    raise ImportError("onnxruntime")
