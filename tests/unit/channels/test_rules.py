"""What platforms change by date: every row of the tables, walked."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from firstreply.channels import names
from firstreply.channels._rules import FOREVER, Rule, rule, rules
from firstreply.message import Reach
from tests.unit.channels.samples import messages, named

ROWS = [
    pytest.param(name, one, id=f"{name} {one.name} {one.since}")
    for name in sorted(names())
    for one in rules(name)
]
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def noon(day: date | None) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC) if day else BEGINNING


def rows_of(channel: str, name: str) -> list[Rule]:
    found = [one for one in rules(channel) if one.name == name]
    return sorted(found, key=lambda one: one.since or date.min)


@pytest.mark.parametrize(("channel", "one"), ROWS)
def test_a_row_holds_from_its_day_until_the_next_one_s(channel: str, one: Rule) -> None:
    assert rule(channel, one.name, noon(one.since)) == one.value
    for before, after in pairwise(rows_of(channel, one.name)):
        assert after.since
        assert after.since != before.since, "two rows for one day"
        eve = noon(after.since) - timedelta(days=1)
        assert rule(channel, one.name, eve) == before.value
        assert rule(channel, one.name, noon(after.since)) == after.value


@pytest.mark.parametrize(("channel", "one"), ROWS)
def test_a_row_says_who_says_so_and_how_surely(channel: str, one: Rule) -> None:
    assert len(one.source) > 10
    assert one.grade in {"A", "B", "C", "D"}


@pytest.mark.parametrize(("channel", "one"), ROWS)
def test_no_rule_begins_without_one_before_it(channel: str, one: Rule) -> None:
    """Else a message of the day before would have none."""
    assert rows_of(channel, one.name)[0].since is None


def test_an_unknown_rule_is_a_mistake_that_is_seen() -> None:
    with pytest.raises(KeyError, match="no rule 'weather'"):
        rule("x", "weather", BEGINNING)


@pytest.mark.parametrize("name", sorted(names()))
def test_every_message_can_be_answered_somewhere_or_is_not_answerable(name: str) -> None:
    for message in messages(name):
        reach = named(name).reach(message)
        assert isinstance(reach, Reach)
        if message.is_answerable and not message.is_anonymous:
            assert reach.public or reach.private, message.kind
        assert message.public or reach.public is None


def test_windows_are_the_table_s() -> None:
    (message, *_) = [one for one in messages("meta") if not one.public]
    private = named("meta").reach(message).private
    assert private == message.sent_at + timedelta(hours=24, minutes=-1)
    comment: Any = next(one for one in messages("meta") if one.kind == "comment")
    assert named("meta").reach(comment).public == FOREVER
    assert named("meta").reach(comment).private == comment.sent_at + timedelta(days=7, minutes=-1)
