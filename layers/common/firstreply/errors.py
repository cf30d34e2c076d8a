"""What can go wrong, sorted by what to do next.

FirstReplyError
├── TryLater           nothing happened yet: the same again, later
│   └── Misconfigured  an operator has to set something first
├── Refuse             it will never work as it stands: set it aside, or give it to a human
│   ├── Unreadable     a signed body that its channel cannot read
│   └── TooLarge       more than one delivery can keep
└── Unsure             it may have happened: ask before doing it again

No message text, token or name of a customer goes into any of them: they end up in logs.
"""


class FirstReplyError(Exception):
    """The root of every error that FirstReply raises itself."""


class TryLater(FirstReplyError):
    """Nothing happened; the same call may succeed after `after` seconds (None: whenever)."""

    def __init__(self, reason: str, *, after: int | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Misconfigured(TryLater):
    """A setting is missing or wrong; says which one and what it should hold."""


class Refuse(FirstReplyError):
    """It will never work as it stands; `reason` is a short code such as `graph 400 100/33`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unreadable(Refuse):
    """A body that was signed by its platform but that its channel cannot read."""


class TooLarge(Refuse):
    """A body larger than the Inbox can keep in one atomic write."""


class Unsure(FirstReplyError):
    """The outcome is not known; it must be looked up before it is tried again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
