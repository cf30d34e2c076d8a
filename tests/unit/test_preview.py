"""make preview."""

import io
from pathlib import Path

import pytest

from local.preview import SHOWN, main
from tests.unit.brands import POLICY, Files, changed

LATE = "My parcel still hasn't come. Call me on +44 20 7946 0958"


def previewed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["--at", "2026-11-24T11:00", *arguments]) == 0
    return " ".join(capsys.readouterr().out.split())


def part(page: str, name: str) -> str:
    """What stands beside a channel's name."""
    names = [*SHOWN, "“"]
    rest = page.partition(f" {name} ")[2]
    ends = [rest.find(f" {one} ") for one in names if f" {one} " in rest]
    return rest[: min(ends, default=len(rest))]


def test_every_form_of_an_answer_is_shown_with_where_and_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = previewed(capsys, LATE)
    assert "understood complaint" in page
    assert "delivery_delay" in page
    assert "a human sees it, normal, to answer by Tue 24 Nov 12:00 UTC" in page
    public = part(page, "facebook comment")
    assert public.startswith("in public: Hi Ada, ")
    assert "then in private: Hi Ada, " in public
    assert part(page, "messenger").startswith("in private: Hi Ada, ")
    assert part(page, "x mention").startswith("in public: Hi @ada, ")
    assert "personal data" in part(page, "x mention")
    assert "personal data" not in part(page, "messenger")


def test_who_writes_and_when_changes_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    page = previewed(capsys, "--name", "Zoë", "--handle", "zed", "--at", "2026-12-24T20:00", LATE)
    assert "Hi Zoë, " in part(page, "messenger")
    assert "Hi @zed, " in part(page, "x mention")
    assert "Monday at 9:00 am" in part(page, "messenger")


def test_silence_has_its_reason_and_stop_is_confirmed(capsys: pytest.CaptureFixture[str]) -> None:
    page = previewed(capsys, "look at this @mara", "stop")
    chatter, _, stop = page.partition("“stop”")
    assert part(chatter, "facebook comment").startswith("nothing: not_for_us")
    assert "a human does not see it" in stop
    assert "automatic answer" in part(stop, "messenger")


def test_a_pipe_is_answered_line_by_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = io.TextIOWrapper(io.BytesIO(b"Merci beaucoup !\n\n  \n" + b"h\xe9\n"))
    monkeypatch.setattr("sys.stdin", typed)
    page = previewed(capsys)
    assert page.count("understood") == 2


def test_what_the_brand_changes_is_seen_at_once(
    own: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    own.write("policy.yaml", changed(POLICY, "continue_in_private", []))
    assert "then in private" not in previewed(capsys, LATE)
    own.write("policy.yaml", changed(POLICY, "cool_down", 5))
    assert main([LATE]) == 2
    assert "brand/policy.yaml:" in capsys.readouterr().err


def test_the_readme_shows_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    readme = Path(__file__).parents[2].joinpath("README.md").read_text("utf-8")
    shown = readme.partition(f'make preview TEXT="{LATE}"\n')[2].partition("```")[0]
    assert main(["--at", "2026-11-24T11:00", LATE]) == 0
    assert shown.strip() == capsys.readouterr().out.strip()
