"""The arithmetic of the benchmarks: what is not measured but computed."""

import pytest

from bench import pricing
from bench.harness import Goal, Section, Spread, Table, alternate, ratio, spread
from bench.report import anchor, markdown, plain, section_of

SECTION = Section(
    name="door",
    title="The door",
    about="About it.",
    tables=(Table(("", "ratio"), (("webhook", "1.10"),), "caption"),),
    goals=(Goal("to the floor", 1.3, 1.1), Goal("more", 1.0, 2.0, " ms", "because")),
    notes=("a note",),
)


def test_a_spread_is_the_median_and_the_middle_half() -> None:
    assert spread([5, 1, 3, 2, 4]) == Spread(3, 2, 4)
    assert spread([7]) == Spread(7, 7, 7)
    assert spread([1, 2, 3]).show(" ms", 1) == "2.0 ms (1.5–2.5)"


def test_a_ratio_is_that_of_neighbours_in_time() -> None:
    """A machine that becomes ten times slower changes nothing."""
    assert ratio([2, 20, 2], [1, 10, 1]) == Spread(2, 2, 2)


def test_those_compared_take_turns_and_the_first_round_does_not_count() -> None:
    ran: list[str] = []

    def run(name: str) -> float:
        ran.append(name)
        return len(ran)

    found = alternate(2, {"a": lambda: run("a"), "b": lambda: run("b")})
    assert ran in (["a", "b", "b", "a", "a", "b"], ["b", "a", "a", "b", "b", "a"])
    assert sorted(found["a"] + found["b"]) == [3, 4, 5, 6]


def test_an_item_weighs_its_names_and_values() -> None:
    assert pricing.item_bytes({"ab": {"S": "é"}, "n": {"N": "1234"}}) == 2 + 2 + 1 + 3
    assert pricing.item_bytes({"m": {"M": {"k": {"BOOL": True}}}}) == 1 + 3 + 1 + 1 + 1
    assert pricing.item_bytes({"l": {"L": [{"S": "xy"}]}, "s": {"SS": ["a", "b"]}}) == 7 + 3


@pytest.mark.parametrize(
    ("size", "in_transaction", "units"),
    [(10, False, 1), (1024, False, 1), (1025, False, 2), (1025, True, 4)],
)
def test_a_write_is_charged_by_the_kilobyte_and_twice_in_a_transaction(
    size: int, in_transaction: bool, units: int
) -> None:
    large = {"a": {"S": "x" * (size - 1)}}
    for before, after in (({}, large), (large, {}), (large, large)):
        assert pricing.write_units(before, after, in_transaction=in_transaction) == units


@pytest.mark.parametrize(
    ("before", "after", "units"), [({}, {}, 0), ({}, "x", 1), ("x", "x", 0), ("x", "y", 2)]
)
def test_an_index_is_charged_for_what_goes_and_what_comes(
    before: object, after: object, units: int
) -> None:
    images = [{"id": {"S": one}} if one else {} for one in (before, after)]
    assert pricing.index_units(images[0], images[1], "id") == units


def test_reads_queues_and_gateways_are_charged_by_their_steps() -> None:
    assert pricing.read_units(0, consistent=True) == 1
    assert pricing.read_units(4097, consistent=False) == 1
    assert [pricing.sqs_requests(n) for n in (0, 65_536, 65_537)] == [1, 1, 2]
    assert [pricing.gateway_requests(n) for n in (1, 524_288, 524_289)] == [1, 1, 2]


def test_a_part_of_a_processor_computes_longer_and_waits_as_long() -> None:
    whole = pricing.prices()["assumed"]["whole_processor_mb"]
    assert pricing.billed_ms(10, 5.5, whole) == 16
    assert pricing.billed_ms(10, 5, whole * 2) == 15
    assert pricing.billed_ms(10, 5, whole // 2) in (25, 26)


def test_a_bill_is_what_was_used_at_its_price() -> None:
    usd = pricing.prices()["usd"]
    bill = pricing.Bill(gateway=2, write_units=3, sqs=4, log_bytes=1e9)
    dollars = bill.dollars()
    assert dollars["HTTP API"] == pytest.approx(2 * usd["http_api_request"])
    assert dollars["DynamoDB writes"] == pytest.approx(3 * usd["dynamodb_write_unit"])
    assert dollars["SQS"] == pytest.approx(4 * usd["sqs_request"])
    assert dollars["CloudWatch Logs"] == pytest.approx(usd["logs_gb"])
    assert sum(dollars.values()) == pytest.approx(
        sum(pricing.Bill().dollars().values())
        + sum(dollars[one] for one in ("HTTP API", "DynamoDB writes", "SQS", "CloudWatch Logs"))
    )


def test_every_price_says_where_it_comes_from() -> None:
    assert {"region", "date", "source", "usd", "assumed"} <= pricing.prices().keys()


def test_the_page_says_what_was_met_and_why_not() -> None:
    page = markdown([SECTION], "2 cores")
    assert "| [The door](#the-door), to the floor | 1.3× | 1.10× | met |" in page
    assert "| [The door](#the-door), more | 1 ms | 2 ms | not met: because |" in page
    assert "## The door" in page
    assert "| webhook | 1.10 |" in page
    assert "* a note" in page


def test_a_section_comes_back_from_its_file() -> None:
    assert section_of(plain(SECTION)) == SECTION


def test_a_title_is_linked_as_github_does() -> None:
    assert anchor("Under load, through MiniStack") == "under-load-through-ministack"
