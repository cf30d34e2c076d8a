"""What can go wrong, sorted by what to do next.

FirstReplyError
├── TryLater           nothing happened yet: the same again, later
│   ├── RateLimited    the platform asks us to wait; that is no failed try
│   └── Misconfigured  an operator has to set something first
├── Refuse             it will never work as it stands: set it aside, or give it to a human
│   ├── AccountDead    nor will anything else from this account, until its secret changes
│   ├── Unreadable     a signed body that its channel cannot read
│   └── TooLarge       more than one delivery, or one message of a queue, can hold
└── Unsure             it may have happened: ask before doing it again

No message text, token or name of a customer goes into any of them: they end up in logs.
"""


class FirstReplyError(Exception):
    """The root of every error that FirstReply raises itself."""


def reason_of(error: Exception) -> str:
    """In our own words, or else its name alone: a library may quote what a customer wrote."""
    return str(error) if isinstance(error, FirstReplyError) else type(error).__name__


class TryLater(FirstReplyError):
    """Nothing happened; the same call may succeed after `after` seconds (None: whenever)."""

    def __init__(self, reason: str, *, after: int | None = None) -> None:
        super().__init__(reason)
        self.after = after


class RateLimited(TryLater):
    """The platform takes nothing from this account for `after` seconds; asking sooner is worse."""

    def __init__(self, reason: str, *, after: int) -> None:
        super().__init__(reason, after=after)
        self.wait = after


class Misconfigured(TryLater):
    """A setting is missing or wrong; says which one and what it should hold."""


class Refuse(FirstReplyError):
    """It will never work as it stands; `reason` is a short code such as `graph 400 100/33`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AccountDead(Refuse):
    """The platform takes this account's token no more."""


class Unreadable(Refuse):
    """A body that was signed by its platform but that its channel cannot read."""


class TooLarge(Refuse):
    """A body larger than the Inbox can keep in one atomic write, or SQS in one message."""


class Unsure(FirstReplyError):
    """The outcome is not known; it must be looked up before it is tried again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
