"""{case}: by what name a customer and a human may call a conversation."""

from hashlib import sha256

from firstreply.message import Conversation

# Neither look-alikes (0 O, 1 I L, 2 Z, 5 S, 8 B, U V) nor vowels, which would make words.
ALPHABET = "34679CDFGHJKMNPQRTVWXY"
LENGTH = 8


def reference(conversation: Conversation) -> str:
    """The same for the same conversation, for ever. Of ten thousand conversations two
    share one with a probability of one in a thousand; a person's name tells them apart."""
    number = int.from_bytes(sha256(f"reference {conversation.key}".encode()).digest())
    letters = []
    for _ in range(LENGTH):
        number, at = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[at])
    return "".join(letters)
