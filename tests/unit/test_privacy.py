"""What must not be kept is masked, and nothing else."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firstreply.privacy import mask

quick = settings(deadline=None, max_examples=100)
CARD, ACCOUNT = "[card number]", "[bank account]"

# The card schemes' own test numbers.
CARDS = {
    "Visa": "4111111111111111",
    "Visa, 13 digits": "4222222222222",
    "Mastercard": "5555555555554444",
    "Mastercard, 2 series": "2223003122003222",
    "American Express": "378282246310005",
    "Discover": "6011111111111117",
    "Diners": "30569309025904",
    "JCB": "3530111333300000",
    "Maestro": "6759649826438453",
    "UnionPay, 19 digits": "6205500000000000004",
}
# The examples of the IBAN registry (SWIFT), one a country.
IBANS = [
    *("DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606"),
    *("NL91ABNA0417164300", "ES9121000418450200051332", "IT60X0542811101000000123456"),
    *("PT50000201231234567890154", "BE68539007547034", "AT611904300234573201"),
    *("CH9300762011623852957", "NO9386011117947", "PL61109010140000071219812874"),
    *("MT84MALT011000012345MTLCAST001S", "BR1800360305000010009795493C1"),
    *("SA0380000000608010167519", "KW81CBKU0000000000001234560101", "GI75NWBK000000007099453"),
    "LC55HEMM000100010012001200023015",
]  # fmt: skip
AROUND = [
    "{}",
    "My number is {}.",
    "({})",
    "no:{},",
    '"{}"',
    "カードは{}です",
    "{}\n{}",
    "a {} b {} c",
]


def grouped(number: str, size: int, gap: str) -> str:
    return gap.join(number[at : at + size] for at in range(0, len(number), size))


GAPS = [" ", "-", ".", "  ", " - ", "\N{NO-BREAK SPACE}", "\N{EN DASH}", "\n", "\t"]


@pytest.mark.parametrize("number", CARDS.values(), ids=CARDS)
def test_a_card_number_is_masked_wherever_it_stands_and_however_it_is_grouped(number: str) -> None:
    for around in AROUND:
        assert mask(around.replace("{}", number)) == around.replace("{}", CARD)
    for gap in GAPS:
        assert mask(f"Paid with {grouped(number, 4, gap)}, twice") == f"Paid with {CARD}, twice"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111 1111 1111 1111 12/27", f"{CARD} 12/27"),
        ("4111 1111 1111 1111 123", f"{CARD} 123"),
        ("4111111111111111 exp 12-27", f"{CARD} exp 12-27"),
        ("order 12 4111 1111 1111 1111", f"order 12 {CARD}"),
        ("1 4111 1111 1111 1111 2", f"1 {CARD} 2"),
        ("4111 1111 1111 1111 5555 5555 5555 4444", f"{CARD} {CARD}"),
        ("4111111111111111/5555555555554444", f"{CARD}/{CARD}"),
        ("DE89370400440532013000 4111111111111111", f"{ACCOUNT} {CARD}"),
        ("NL91 ABNA 0417 1643 00 GB29 NWBK 6016 1331 9268 19", f"{ACCOUNT} {ACCOUNT}"),
        ("AB12 DE89 3704 0044 0532 0130 00", f"AB12 {ACCOUNT}"),
    ],
)
def test_other_numbers_beside_it_do_not_hide_it(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize("number", IBANS)
@pytest.mark.parametrize("gap", ["", " ", "-", "\N{NO-BREAK SPACE}"], ids=ascii)
def test_an_iban_is_masked_wherever_it_stands(number: str, gap: str) -> None:
    for around in (*AROUND[:4], "{} is my account", "{} und BIC COBADEFFXXX"):
        text = around.replace("{}", grouped(number, 4, gap))
        assert mask(text) == around.replace("{}", ACCOUNT)


@pytest.mark.parametrize("number", IBANS)
def test_an_iban_in_small_letters_is_masked(number: str) -> None:
    assert mask(number.lower()) == ACCOUNT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Call me on +49 170 1234567 or +44 20 7946 0958, or 0171 2345678",
        "+1 415 555 0132 x 4111",
        "+49 1512 3456704",  # would do as a card's
        "00 49 30 901820 after 18:00",
        "My order is 4111-1111-1111-1112",
        "Order 4111111111111112, parcel 00340434161094042557",
        "Flight LH1234 on 2026-11-22 at 09:20, seat 14C, booking 7XK2P9",
        "It was 1,234,567.89 EUR in 1999 2000 2001",
        "DE88370400440532013000 has a wrong check digit",
        "m_4111111111111111",
        "4111111111111111a",
        "99999999999999999999999999999999",
        "0000 0000 0000 0000",
        "https://larkspur.example/p?id=12345",
    ],
)
def test_numbers_of_another_kind_are_left_alone(text: str) -> None:
    assert mask(text) == text


def test_words_after_a_flight_number_are_no_bank_account() -> None:
    """The check sum alone lets one text in a hundred pass."""
    for number in range(10, 100):
        for words in ("was delayed again and again", "left without us tonight", "no news at all"):
            text = f"Our flight LH{number} {words}"
            assert mask(text) == text


@quick
@given(text=st.text())
def test_a_text_without_digits_is_left_alone(text: str) -> None:
    text = re.sub(r"\d", "", text)
    assert mask(text) == text


pieces = st.sampled_from([*CARDS.values(), *IBANS, " ", "-", "12/27", "AB12", "a", ",", "1", "\n"])
anything = st.text() | st.text("0123456789 -") | st.lists(pieces, max_size=12).map("".join)


@quick
@given(text=anything)
@example(text="4111 1111 1111 1111" * 3)
def test_what_is_masked_stays_as_it_is(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@quick
@given(
    before=st.text("abc ,.:;!?\n"),
    after=st.text("abc ,.:;!?\n"),
    number=st.sampled_from([*CARDS.values(), *IBANS]),
)
def test_no_words_around_it_bring_it_through(before: str, number: str, after: str) -> None:
    assert number not in mask(f"{before} {number} {after}")


@quick
@given(first=st.integers(1, 9), middle=st.text("0123456789", min_size=11, max_size=17))
def test_every_number_with_a_card_s_check_digit_is_masked(first: int, middle: str) -> None:
    digits = [int(digit) for digit in f"{first}{middle}"]
    total = sum(sum(divmod(2 * digit, 10)) for digit in digits[::-2]) + sum(digits[-2::-2])
    right = -total % 10
    for check in range(10):
        number = f"{first}{middle}{check}"
        assert mask(number) == (CARD if check == right else number)


@pytest.mark.parametrize(
    "text", ["9" * 50_000, "4111 " * 10_000, "DE89 " * 10_000, "1-" * 5_000, "ab12" * 12_000]
)
def test_a_long_text_is_through_in_no_time(text: str) -> None:
    """It would run into the suite's time limit; a customer must not be able to stop a batch."""
    assert isinstance(mask(text), str)
