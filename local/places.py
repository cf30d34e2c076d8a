"""Where customers write, as the channels call it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from firstreply.channels import Channel, channel
from firstreply.message import Conversation, Message
from local.simulator import DEMO_SECRET


@dataclass(frozen=True, slots=True)
class Place:
    """`account` writes there for the brand of the demonstration."""

    channel: str
    network: str
    kind: str
    public: bool = True
    answerable: bool = True

    @property
    def account(self) -> str:
        accounts: dict[str, object] = DEMO_SECRET[self.channel]["accounts"]
        return next(iter(accounts))

    def open(self) -> Channel:
        found = channel(self.channel)
        assert found, "the table names channels that there are"
        return found

    def message(self, text: str, sent_at: datetime, *, id: str, customer: str) -> Message:
        return Message(
            conversation=Conversation(
                channel=self.channel, account=self.account, customer=customer
            ),
            id=id,
            network=self.network,
            kind=self.kind,
            public=self.public,
            text=text,
            sent_at=sent_at,
            is_answerable=self.answerable,
        )


PLACES: Final = {
    "facebook comment": Place("meta", "facebook", "comment"),
    "facebook post": Place("meta", "facebook", "post"),
    "facebook mention": Place("meta", "facebook", "mention"),
    "facebook review": Place("meta", "facebook", "review", answerable=False),
    "messenger": Place("meta", "messenger", "message", public=False),
    "instagram comment": Place("meta", "instagram", "comment"),
    "instagram live comment": Place("meta", "instagram", "live_comment"),
    "instagram message": Place("meta", "instagram", "message", public=False),
    "instagram mention": Place("meta", "instagram", "mention", answerable=False),
    "x mention": Place("x", "x", "mention"),
    "x quote": Place("x", "x", "quote"),
    "x direct message": Place("x", "x", "direct_message", public=False),
    "x automated account": Place("x", "x", "mention", answerable=False),
}
