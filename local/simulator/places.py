"""Where a customer can meet a brand."""

from typing import Final, Literal, get_args

Channel = Literal["meta", "x"]
Family = Literal["xaa", "aaa"]  # of X's webhooks: X Activity API, Account Activity API
Place = Literal[
    "facebook_comment",
    "facebook_post",
    "facebook_review",
    "facebook_mention",
    "messenger",
    "instagram_comment",
    "instagram_live_comment",
    "instagram_mention",
    "instagram_message",
    "instagram_story_reply",
    "instagram_story_mention",
    "x_mention",
    "x_reply",
    "x_quote",
    "x_direct_message",
    "x_chat",
]

PLACES: Final[tuple[Place, ...]] = get_args(Place)
CHANNEL: Final[dict[Place, Channel]] = {
    place: "x" if place.startswith("x_") else "meta" for place in PLACES
}
INSTAGRAM: Final[frozenset[Place]] = frozenset(p for p in PLACES if p.startswith("instagram_"))
# Meta's conversations between two; here each may be answered for a day.
INSTAGRAM_PRIVATE: Final[frozenset[Place]] = frozenset(
    {"instagram_message", "instagram_story_reply", "instagram_story_mention"}
)
PRIVATE: Final[frozenset[Place]] = INSTAGRAM_PRIVATE | {"messenger"}
# Posts on X, whatever brought them to the brand.
X_POSTS: Final[frozenset[Place]] = frozenset({"x_mention", "x_reply", "x_quote"})
