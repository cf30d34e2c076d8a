"""The public sets that weights may be trained on, as far as they say something about our labels.

A row says only what it is sure of: None stands for "not told". All three are CC BY.
"""

import csv
import gzip
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """A text and what is known of it. `not_complaint`: of the intent, only what it is not."""

    text: str
    intent: str | None = None
    topic: str | None = None
    sentiment: str | None = None
    not_complaint: bool = False
    weight: float = 1.0


# Of 77 kinds of a bank's questions those with a clear topic of ours.
_BANKING = {
    "fault_outage": "card_not_working contactless_not_working declined_card_payment "
    "declined_cash_withdrawal declined_transfer failed_transfer top_up_failed "
    "virtual_card_not_working",
    "account_access": "passcode_forgotten pin_blocked unable_to_verify_identity "
    "verify_my_identity why_verify_identity change_pin",
    "billing": "card_payment_fee_charged card_payment_wrong_exchange_rate "
    "cash_withdrawal_charge extra_charge_on_statement transaction_charged_twice "
    "transfer_fee_charged wrong_exchange_rate_for_cash_withdrawal top_up_by_card_charge "
    "top_up_by_bank_transfer_charge wrong_amount_of_cash_received exchange_charge",
    "delivery_delay": "card_arrival",
    "refund_return": "Refund_not_showing_up request_refund",
    "cancel_change": "cancel_transfer terminate_account edit_personal_details",
    "product_enquiry": "age_limit apple_pay_or_google_pay atm_support card_acceptance "
    "card_delivery_estimate country_support disposable_card_limits exchange_rate "
    "fiat_currency_support get_disposable_virtual_card get_physical_card getting_spare_card "
    "getting_virtual_card order_physical_card supported_cards_and_currencies top_up_limits "
    "visa_or_mastercard",
    "security_fraud": "compromised_card lost_or_stolen_card card_payment_not_recognised "
    "cash_withdrawal_not_recognised direct_debit_payment_not_recognised",
}
# Those that nobody asks in anger.
_CALM = frozenset(_BANKING["product_enquiry"].split())

# Said to a voice assistant; nothing there complains, whatever else it is.
_CLINC_COMPLAINTS = frozenset(
    [
        "account_blocked",
        "card_declined",
        "damaged_card",
        "lost_luggage",
        "report_fraud",
        "report_lost_card",
    ]
)
_CLINC_CHATTER = frozenset(
    [
        "are_you_a_bot",
        "do_you_have_pets",
        "flip_coin",
        "fun_fact",
        "goodbye",
        "greeting",
        "how_old_are_you",
        "maybe",
        "meaning_of_life",
        "no",
        "repeat",
        "roll_dice",
        "tell_joke",
        "what_are_your_hobbies",
        "what_is_your_name",
        "where_are_you_from",
        "who_do_you_work_for",
        "who_made_you",
        "yes",
        "whisper_mode",
        "todo_list_update",
        "shopping_list_update",
        "reminder_update",
        "calendar_update",
        "next_song",
        "play_music",
        "text",
        "make_call",
    ]
)


def read(folder: Path, count: int, seed: int = 7) -> list[Row]:
    """So many rows, a third of each set, the same rows for the same seed."""
    chance = random.Random(seed)  # noqa: S311 (a choice of rows is no secret)
    sets = (_banking(folder), _clinc(folder), _messages(folder))
    return [row for rows in sets for row in _some(rows, count // len(sets), chance)]


def _some(rows: Iterator[Row], count: int, chance: random.Random) -> list[Row]:
    every = list(rows)
    return chance.sample(every, min(count, len(every)))


def _banking(folder: Path) -> Iterator[Row]:
    topics = {kind: topic for topic, kinds in _BANKING.items() for kind in kinds.split()}
    for row in _rows(folder / "banking77_train.csv.gz"):
        if kind := topics.get(row["category"]):
            calm = row["category"] in _CALM
            yield Row(row["text"], "question" if calm else None, kind, weight=0.3)


def _clinc(folder: Path) -> Iterator[Row]:
    for row in _rows(folder / "clinc150_train_val.csv.gz"):
        if row["intent"] in _CLINC_CHATTER:
            yield Row(row["text"], "other", "other", weight=0.5)
        elif row["intent"] not in _CLINC_COMPLAINTS:
            yield Row(row["text"], not_complaint=True, weight=0.3)


def _messages(folder: Path) -> Iterator[Row]:
    for row in _rows(folder / "sms_spam.csv.gz"):
        is_ham = row["label"] == "ham"
        topic = "other" if is_ham else None
        yield Row(row["text"], "other", topic, weight=0.5)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
