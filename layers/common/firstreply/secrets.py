"""The channels' secret: one JSON document in Secrets Manager, a section for each channel."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from firstreply.errors import Misconfigured, TryLater

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

type Section = Mapping[str, Any]


def accounts_of(section: Section) -> Mapping[str, Any]:
    """The brand's accounts on a channel, by id."""
    accounts = section.get("accounts")
    return accounts if isinstance(accounts, dict) else {}


def is_listed(account: str, secret: Section) -> bool:
    """Whether the secret's section of a channel has that account."""
    return account in accounts_of(secret)


FRESH_FOR = timedelta(minutes=5)
REFETCH_AT_MOST_EVERY = timedelta(minutes=1)


class Secrets:
    """The secret, cached; a failed refresh keeps what was known. `changed_at`: when what is known
    was put there."""

    def __init__(
        self, client: SecretsManagerClient, arn: str, clock: Callable[[], datetime]
    ) -> None:
        self._client, self._arn, self._clock = client, arn, clock
        self._document: Mapping[str, Any] | None = None
        self._fetched_at: datetime | None = None
        self.changed_at: datetime | None = None

    def section(self, channel: str, fresh_for: timedelta = FRESH_FOR) -> Section:
        """The channel's part of the secret, empty when there is none.

        TryLater when Secrets Manager does not answer, Misconfigured when it holds no JSON object.
        """
        document = self._document
        if document is None or self._age() > fresh_for:
            try:
                document = self._fetch()
            except TryLater:
                if document is None:
                    raise
        section = document.get(channel)
        return section if isinstance(section, dict) else {}

    def refetch(self) -> bool:
        """Fetch again after a signature failed; True if that could change the verdict.

        At most once a minute, so that nobody runs up a bill or a throttle by posting rubbish.
        """
        if self._age() < REFETCH_AT_MOST_EVERY:
            return False
        before = self._document
        try:
            return self._fetch() != before
        except TryLater:
            return False

    def _age(self) -> timedelta:
        return self._clock() - self._fetched_at if self._fetched_at else timedelta.max

    def _fetch(self) -> Mapping[str, Any]:
        self._fetched_at = self._clock()
        try:
            answer = self._client.get_secret_value(SecretId=self._arn)
        except (BotoCoreError, ClientError) as error:
            raise TryLater(f"the secret cannot be read: {type(error).__name__}") from error
        try:
            document = json.loads(answer["SecretString"])
        except ValueError:
            document = None
        if not isinstance(document, dict):
            # Not chained and not quoted: the error would carry the secret's text.
            raise Misconfigured("the secret is not a JSON object; README.md shows its shape")
        self._document, self.changed_at = document, answer.get("CreatedDate")
        return document


def name_of(section: Section, account: str) -> str | None:
    """What a brand's account calls itself."""
    known = accounts_of(section).get(account)
    name = known.get("name") if isinstance(known, Mapping) else None
    return name if isinstance(name, str) else None
