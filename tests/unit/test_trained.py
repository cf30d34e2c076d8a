"""The trained classifier: what it makes of probabilities, and who answers when it cannot."""

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstreply.message import Conversation, Message
from firstreply.policy import ComplaintBands
from firstreply.understanding import Intent, Understanding
from functions.classify import offline as offline_module
from functions.classify.lexicon import Lexicon, words_for
from functions.classify.offline import offline
from functions.classify.trained import encoder as encoder_module
from functions.classify.trained import language
from functions.classify.trained.classifier import Probabilities, Trained
from functions.classify.trained.encoder import Encoders, mean, softmax
from functions.classify.trained.language import Tongue
from functions.classify.trained.ngrams import MODEL, Ngrams
from functions.classify.trained.once import Once
from tests.unit.channels.samples import quick

BANDS = ComplaintBands(sure=0.7, none=0.1)
INTENTS = get_args(Intent.__value__)
TEXT = "The zebra on my lamp is broken"


def message(text: str = TEXT, **more: Any) -> Message:
    return Message(
        conversation=Conversation(channel="meta", account="1", customer="2"),
        id="3",
        network="facebook",
        kind="comment",
        public=True,
        text=text,
        sent_at=datetime(2026, 11, 22, 9, 20, tzinfo=UTC),
        **more,
    )


def told(complaint: float, question: float, praise: float, other: float) -> dict[str, Any]:
    return {
        "intent": dict(zip(INTENTS, (complaint, question, praise, other), strict=True)),
        "topic": {"billing": 0.6, "delivery_delay": 0.3, "other": 0.1},
        "sentiment": {"negative": 0.2, "neutral": 0.7, "positive": 0.1},
        "journey": {"before_purchase": 0.9, "customer": 0.1},
    }


CHATTER = told(0.02, 0.02, 0.02, 0.94)


@dataclass
class Says:
    """A model whose answer is given. Notes what it was asked."""

    answer: Probabilities
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def __call__(self, text: str, spoken: str | None) -> Probabilities:
        self.asked.append((text, spoken))
        return self.answer


def trained(
    model: Callable[[str, str | None], Probabilities],
    spoken: Tongue = Tongue("en"),  # noqa: B008  # it cannot be changed
    bands: ComplaintBands = BANDS,
    words: Sequence[str] = (),
) -> Trained:
    return Trained(model=model, tongue=lambda *_: spoken, words_for=lambda *_: words, bands=bands)


# --- what is made of probabilities ----------------------------------------------------------------


def test_the_likeliest_labels_are_told() -> None:
    model = Says(told(0.02, 0.9, 0.05, 0.03))
    found = trained(model, words=["when"]).understand(message("When will it come?"))
    assert found == Understanding(
        intent="question",
        topics=("billing", "delivery_delay"),
        sentiment="neutral",
        urgency="normal",
        journey="before_purchase",
        language="en",
        confidence=0.9,
        unsure=False,
        reasons=("question: when",),
    )
    assert model.asked == [("When will it come?", "en")]


@pytest.mark.parametrize(
    ("likely", "intent", "confidence", "unsure"),
    [
        ((0.70, 0.10, 0.10, 0.10), "complaint", 0.70, False),
        ((0.69, 0.11, 0.10, 0.10), "complaint", 0.69, True),
        ((0.30, 0.60, 0.05, 0.05), "question", 0.60, True),
        ((0.10, 0.80, 0.05, 0.05), "question", 0.80, True),
        ((0.09, 0.81, 0.05, 0.05), "question", 0.81, False),
        # No complaint, but what else?
        ((0.09, 0.49, 0.40, 0.02), "question", 0.49, True),
        ((0.09, 0.50, 0.39, 0.02), "question", 0.50, False),
    ],
)
def test_between_the_bands_and_between_intents_a_human_looks(
    likely: tuple[float, float, float, float], intent: str, confidence: float, unsure: bool
) -> None:
    found = trained(Says(told(*likely))).understand(message())
    assert (found.intent, found.confidence, found.unsure) == (intent, confidence, unsure)
    assert any(one.startswith("hard to tell: ") for one in found.reasons) == unsure


@pytest.mark.parametrize(
    ("bands", "intent", "unsure"),
    [
        ({"sure": 0.9, "none": 0.1}, "complaint", True),
        ({"sure": 0.6, "none": 0.1}, "complaint", False),
        # Below the limit it is none, however likely.
        ({"sure": 0.9, "none": 0.8}, "question", False),
    ],
)
def test_a_brand_may_move_the_bands(bands: dict[str, float], intent: str, unsure: bool) -> None:
    model = Says(told(0.6, 0.3, 0.05, 0.05))
    found = trained(model, bands=ComplaintBands(**bands)).understand(message())
    assert (found.intent, found.unsure) == (intent, unsure)
    assert found.journey == ("complaint" if intent == "complaint" else "before_purchase")


def test_the_reasons_say_between_what_a_human_has_to_choose() -> None:
    found = trained(Says(told(0.45, 0.38, 0.1, 0.07))).understand(message())
    assert found.reasons == ("hard to tell: complaint (0.45) or question (0.38)",)


@pytest.mark.parametrize(
    ("likely", "topics"),
    [
        ({"billing": 0.9, "other": 0.1}, ("billing",)),
        ({"billing": 0.1, "other": 0.15}, ("other",)),
        ({"a": 0.21, "b": 0.24, "c": 0.23, "d": 0.22}, ("b", "c", "d")),
    ],
)
def test_topics_are_told_likeliest_first_if_they_are_likely(
    likely: dict[str, float], topics: tuple[str, ...]
) -> None:
    model = Says({**CHATTER, "topic": likely})
    assert trained(model).understand(message()).topics == topics


@pytest.mark.parametrize("text", ["", " \n ", "😡😡", "❤️", "?!", "@LarkspurAir", "https://t.co/x"])
def test_where_nothing_is_said_the_model_is_not_asked_to_guess(text: str) -> None:
    model = Says(told(0.97, 0.01, 0.01, 0.01))
    found = trained(model, Tongue(None)).understand(message(text))
    assert (found.intent, found.sentiment, found.topics) == ("other", "neutral", ("other",))
    assert (found.confidence, found.unsure, found.language) == (0.0, False, "und")
    assert model.asked == []


def test_a_picture_without_words_may_say_anything_and_one_with_words_does_not_hide_them() -> None:
    model = Says(told(0.97, 0.01, 0.01, 0.01))
    for text in ("", "😡"):
        found = trained(model).understand(message(text, attachments=("photo",)))
        assert (found.intent, found.unsure) == ("other", True)
        assert found.reasons == ("attachment: photo",)
    found = trained(model).understand(message(attachments=("photo",)))
    assert (found.intent, found.unsure) == ("complaint", False)
    assert trained(Says(CHATTER)).understand(message("look", attachments=("photo",))).unsure


@pytest.mark.parametrize(("told_by", "called"), [(None, "und"), ("ar", "ar"), ("en", "und")])
def test_a_foreign_language_is_a_human_s(told_by: str | None, called: str) -> None:
    model = Says(told(0.97, 0.01, 0.01, 0.01))
    foreign = Tongue(None, is_foreign=True)
    found = trained(model, foreign).understand(message("أين طلبي", language=told_by))
    assert (found.intent, found.confidence, found.unsure) == ("other", 0.0, True)
    assert found.language == called
    assert found.reasons == ("not one of our languages",)
    assert model.asked == []


def test_urgency_is_by_rules_in_any_language_and_whatever_the_model_says() -> None:
    for spoken in (Tongue("en"), Tongue(None), Tongue(None, is_foreign=True)):
        found = trained(Says(CHATTER), spoken).understand(message("Lovely. My lawyer will call."))
        assert found.urgency == "high"
        assert "urgent: legal" in found.reasons


def test_the_reasons_name_our_words_and_never_the_customer_s() -> None:
    """They go further than the message does."""
    text = "Zebra! My lawyer says the lamp is broken and nobody answers"
    reasons = " ".join(offline(BANDS).understand(message(text)).reasons)
    for word in ("Zebra", "zebra", "lawyer", "lamp"):
        assert word not in reasons
    assert set(words_for(text, "complaint", "en")) == {"nobody answer", "broke"}
    assert words_for(text, "other", "en") == words_for(text, "complaint", "und") == []


probability = st.floats(0, 1)


@quick
@given(
    likely=st.tuples(*[st.floats(0.001, 1)] * 4),
    limits=st.tuples(probability, probability).map(sorted),
    text=st.text(max_size=60),
    spoken=st.sampled_from([Tongue("en"), Tongue(None), Tongue(None, is_foreign=True)]),
)
def test_any_probabilities_make_an_understanding(
    likely: tuple[float, ...], limits: list[float], text: str, spoken: Tongue
) -> None:
    shares = [one / sum(likely) for one in likely]
    bands = ComplaintBands(none=limits[0], sure=limits[1])
    found = trained(Says(told(*shares)), spoken, bands).understand(message(text))
    assert 0 <= found.confidence <= 1
    assert (found.intent == "complaint") == (found.journey == "complaint")
    assert 1 <= len(found.topics) <= 3
    assert found.unsure or not spoken.is_foreign
    if found.confidence and found.intent != "complaint" and not found.unsure:
        assert shares[0] < bands.none


# --- several encoders -----------------------------------------------------------------------------

TASKS = {"intent": list(INTENTS), "mood": ["bad", "good"]}
HEAT = {"intent": 1.0, "mood": 2.0}


@dataclass
class Session:
    """A run time whose scores are given."""

    path: Path
    asked: list[list[int]]

    def run(self, _: None, inputs: dict[str, Any]) -> list[Any]:
        self.asked.append(inputs["pieces"].tolist()[0])
        assert inputs["pieces"].dtype == np.int64
        scores = json.loads(self.path.read_text())
        return [np.array([scores], np.float32)]


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Encoders, list[str]]:
    """Two encoders in the form that is shipped, and a note of each that is loaded."""
    loaded: list[str] = []

    def session(path: Path) -> Session:
        loaded.append(path.stem)
        return Session(path, [])

    monkeypatch.setattr(encoder_module, "_session", session)
    entry = {"name": "all", "languages": None, "pieces": "likeliest", "temperatures": HEAT}
    english = {"name": "english", "languages": ["en"], "pieces": "longest", "temperatures": HEAT}
    about = {"tasks": TASKS, "encoders": [entry, english]}
    (tmp_path / "model.json").write_text(json.dumps(about))
    (tmp_path / "all.onnx").write_text("[3, 1, 1, 1, 0, 0]")
    (tmp_path / "english.onnx").write_text("[1, 1, 1, 1, 2, 0]")
    (tmp_path / "all.tsv").write_text("<s>\t0\n<pad>\t0\n</s>\t0\n<unk>\t0\n▁lamp\t-1\n")
    (tmp_path / "english.tsv").write_text("[UNK]\n[CLS]\n[SEP]\nlamp\n")
    return Encoders(tmp_path), loaded


def test_an_encoder_loads_when_its_language_is_first_spoken(
    two: tuple[Encoders, list[str]],
) -> None:
    encoders, loaded = two
    assert loaded == []
    for spoken in ("de", None, "de"):
        encoders("lamp", spoken)
        assert loaded == ["all"]
    for _ in range(2):
        encoders("lamp", "en")
        assert loaded == ["all", "english"]


def test_the_answer_is_the_mean_of_those_that_know_the_language(
    two: tuple[Encoders, list[str]],
) -> None:
    encoders, _ = two
    german, english = encoders("lamp", "de"), encoders("lamp", "en")
    of_all = softmax([3, 1, 1, 1])
    assert list(german["intent"].values()) == pytest.approx(of_all)
    assert list(german["mood"].values()) == pytest.approx([0.5, 0.5])
    wanted = [(one + 0.25) / 2 for one in of_all]
    assert list(english["intent"].values()) == pytest.approx(wanted)
    # Heated: half the scores' distance.
    assert english["mood"]["bad"] == pytest.approx((0.5 + softmax([1, 0])[0]) / 2)
    assert list(english) == list(TASKS)
    for labels in english.values():
        assert sum(labels.values()) == pytest.approx(1)


def test_nobody_s_answer_is_none() -> None:
    with pytest.raises(ValueError, match="no encoder"):
        mean([])


def test_a_higher_temperature_is_less_sure() -> None:
    assert softmax([2, 0], 3.0)[0] < softmax([2, 0])[0] < softmax([2, 0], 0.5)[0]
    assert softmax([1e4, -1e4]) == [1, 0]


def test_what_cannot_be_made_is_tried_once() -> None:
    tries: list[int] = []

    def fails() -> int:
        tries.append(1)
        raise OSError("gone")

    once = Once(fails)
    for _ in range(3):
        with pytest.raises(OSError, match="gone"):
            once()
    assert tries == [1]


# --- when it cannot answer ------------------------------------------------------------------------


class Watch:
    """What an operator sees."""

    def __init__(self, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
        self._capfd, self._caplog = capfd, caplog

    def counted(self) -> list[str]:
        """The metrics since the last look."""
        out = self._capfd.readouterr().out
        assert "zebra" not in out
        lines = [json.loads(line) for line in out.splitlines() if '"_aws"' in line]
        return [
            one["Name"]
            for line in lines
            for directive in line["_aws"]["CloudWatchMetrics"]
            for one in directive["Metrics"]
        ]

    def said(self) -> list[tuple[str, str]]:
        """What was logged, which never quotes the customer."""
        for record in self._caplog.records:
            assert "zebra" not in str(vars(record))
            assert record.exc_info is None
        return [(vars(one)["backend"], vars(one)["reason"]) for one in self._caplog.records]


@pytest.fixture
def watch(
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Watch:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "FirstReply")
    return Watch(capfd, caplog)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of what is shipped, to be spoiled."""
    return Path(shutil.copytree(MODEL, tmp_path / "model"))


def by_ngrams(text: str = TEXT) -> Probabilities:
    return Ngrams(MODEL)(text)


def assert_answered_by_ngrams(found: Understanding, text: str = TEXT) -> None:
    likely = by_ngrams(text)["intent"]
    assert found.confidence == round(likely[found.intent], 2)


def test_the_encoders_answer_if_they_can(watch: Watch) -> None:
    found = offline(BANDS).understand(message())
    likely = Encoders(MODEL)(TEXT, "en")["intent"]
    assert found.confidence == round(likely[found.intent], 2)
    assert likely["complaint"] != pytest.approx(by_ngrams()["intent"]["complaint"], abs=0.01)
    assert (watch.counted(), watch.said()) == ([], [])


@pytest.mark.parametrize("module", ["onnxruntime", "numpy"])
def test_without_a_run_time_the_n_grams_answer(
    module: str, watch: Watch, monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    monkeypatch.delitem(sys.modules, "functions.classify.trained.encoder")
    monkeypatch.setitem(sys.modules, module, None)
    classifier = offline(BANDS, model)
    for _ in range(3):
        assert_answered_by_ngrams(classifier.understand(message()))
    assert watch.counted() == ["EncoderFellBack"] * 3
    assert watch.said() == [("Encoder", "ModuleNotFoundError")]


def remove(model: Path, pattern: str) -> None:
    for path in model.glob(pattern):
        path.unlink()


SPOILED: dict[str, Callable[[Path], object]] = {
    "no model.json": lambda model: remove(model, "model.json"),
    "model.json is no JSON": lambda model: (model / "model.json").write_text("{"),
    "no graph": lambda model: remove(model, "*.onnx"),
    "half a graph": lambda model: [
        one.write_bytes(one.read_bytes()[:10_000]) for one in model.glob("*.onnx")
    ],
    "no pieces": lambda model: remove(model, "*.tsv"),
    "an unknown way to cut": lambda model: (model / "model.json").write_text(
        (model / "model.json").read_text().replace("likeliest", "luckiest")
    ),
}


@pytest.mark.parametrize("how", SPOILED)
def test_without_its_files_the_n_grams_answer(how: str, watch: Watch, model: Path) -> None:
    SPOILED[how](model)
    classifier = offline(BANDS, model)
    for _ in range(3):
        assert_answered_by_ngrams(classifier.understand(message()))
    assert watch.counted() == ["EncoderFellBack"] * 3
    assert len(watch.said()) == 1


def test_an_encoder_that_fails_on_one_text_answers_the_next(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Encoders.__call__

    def fails_on_zebras(self: Encoders, text: str, spoken: str | None = None) -> Any:
        if "zebra" in text:
            raise RuntimeError(text)
        return asked(self, text, spoken)

    monkeypatch.setattr(Encoders, "__call__", fails_on_zebras)
    classifier = offline(BANDS)
    for _ in range(2):
        assert_answered_by_ngrams(classifier.understand(message()))
    assert watch.counted() == ["EncoderFellBack"] * 2
    assert watch.said() == [("Encoder", "RuntimeError")]
    other = "The lamp is broken"
    found = classifier.understand(message(other))
    assert found.confidence == round(Encoders(MODEL)(other, "en")["intent"][found.intent], 2)
    assert watch.counted() == []


@pytest.mark.parametrize("left", [[], ["ngrams.json"]])
def test_without_any_model_words_are_counted(left: list[str], watch: Watch, model: Path) -> None:
    for path in model.iterdir():
        if path.name not in left:
            path.unlink()
    classifier = offline(BANDS, model)
    for _ in range(2):
        assert classifier.understand(message()) == Lexicon().understand(message())
    assert watch.counted() == ["EncoderFellBack", "NgramsFellBack"] * 2
    assert [name for name, _ in watch.said()] == ["Encoder", "Ngrams"]


def test_the_n_grams_need_nothing_but_python(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    monkeypatch.delitem(sys.modules, "functions.classify.trained.encoder")
    language._model.cache_clear()
    for name in ("onnxruntime", "numpy", "fasttext"):
        monkeypatch.setitem(sys.modules, name, None)
    found = offline(BANDS, model).understand(message())
    assert_answered_by_ngrams(found)
    assert found.language == "en"
    assert set(watch.counted()) == {"EncoderFellBack", "LanguageFellBack"}


@pytest.mark.parametrize(
    ("text", "spoken", "foreign"),
    [
        ("Meine Lampe ist kaputt und niemand antwortet", "de", False),
        ("Δεν λειτουργεί τίποτα εδώ και τρεις μέρες", "und", True),
    ],
)
def test_without_what_tells_languages_words_tell_them(
    text: str, spoken: str, foreign: bool, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise OSError(text)

    monkeypatch.setattr(language, "tongue", fails)
    found = offline(BANDS).understand(message(text))
    assert (found.language, found.unsure and found.intent == "other") == (spoken, foreign)
    assert watch.counted() == ["LanguageFellBack"]
    assert watch.said() == [("Language", "OSError")]


def test_what_fails_in_every_classifier_is_not_hidden(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """classify sets such a message aside."""

    def fails(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Lexicon, "understand", fails)
    monkeypatch.setattr(Trained, "understand", fails)
    with pytest.raises(ZeroDivisionError):
        offline(BANDS).understand(message())


def test_nothing_is_loaded_before_the_first_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("loaded too early")

    monkeypatch.setattr(offline_module, "encoders", refuse)
    monkeypatch.setattr(offline_module, "_ngrams", refuse)
    offline(BANDS, tmp_path)
