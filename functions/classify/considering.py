"""What is made of a message: what is kept of its words, what they mean, whether anything is said
and in which words. Reads nothing and writes nothing, but for what a classifier needs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from firstreply.channels import Channel
from firstreply.conversations import Remembered
from firstreply.message import Conversation, Message
from firstreply.policy import NOTHING, Decision, Policy, Recognised, Standing, decide, same_words
from firstreply.privacy import KINDS, find
from firstreply.reference import reference
from firstreply.understanding import Classifier, Understanding, heed_verdict, heed_waiting
from firstreply.voice import Place, Saying, Voice, called


@dataclass(frozen=True, slots=True, kw_only=True)
class Considering:
    """`expected`: within which time a human is expected to answer in a conversation, None if nobody
    knows; `name_of`: what the brand calls itself there; `ready`: its ready answers to a question in
    a language."""

    classifier: Classifier
    voice: Voice
    policy: Policy
    expected: Callable[[Conversation], timedelta | None]
    name_of: Callable[[Conversation], str | None] = lambda _: None
    ready: Callable[[str, str], Recognised] = lambda _text, _language: NOTHING

    def command(self, message: Message) -> Literal["stop", "start"] | None:
        """What the customer asks of FirstReply itself."""
        if self.voice.is_stop(message.text):
            return "stop"
        return "start" if self.voice.is_start(message.text) else None

    def consider(
        self,
        said_on: Channel,
        message: Message,
        standing: Standing,
        before: Sequence[Remembered],
        now: datetime,
        edited_at: datetime | None = None,
    ) -> Remembered:
        """`before`: what else the same customer wrote. Of an edited message, the time that counts
        is that of the edit."""
        message = self._masked(message)
        standing = replace(
            standing,
            is_repeated=self._is_repeated(message, before),
            follows_ready_answer=self._follows_ready_answer(message, before),
            reach=said_on.reach(message),
        )
        understanding = heed_waiting(
            message,
            heed_verdict(message, self.classifier.understand(_without_personal_data(message))),
            _unanswered(before, standing),
        )
        heard = replace(message, sent_at=edited_at) if edited_at else message
        recognised = self._recognise(message, understanding)
        decision = decide(heard, understanding, standing, self.policy, now, recognised)

        def say(place: Place) -> str:
            saying = self._saying(message, understanding, decision, place, now)
            may_link = message.conversation.channel in self.policy.links_on
            return self.voice.say(saying, said_on.shorten, may_link=may_link)

        is_said = decision.silence is None
        return Remembered(
            message=message,
            understanding=understanding,
            decision=decision,
            acknowledgement=say(decision.place) if is_said else None,
            continuation=say("private") if is_said and decision.continues else None,
            recognised=recognised,
            edited_at=edited_at,
        )

    def _recognise(self, message: Message, understanding: Understanding) -> Recognised:
        if command := self.command(message):
            return Recognised(command=command)
        if self.voice.asks_for_human(message.text):
            return Recognised(asks_for_human=True)
        if understanding.intent != "question":
            return NOTHING
        return self.ready(message.text, understanding.language)

    def _masked(self, message: Message) -> Message:
        """Without what must not be kept; in private a customer's own telephone number and the
        like stay, for the human who is to call."""
        kept = frozenset() if message.public else self.policy.keep_in_private
        masked = find(message.text, frozenset(KINDS) - kept)
        return replace(message, text=masked.text, personal_data=masked.kinds)

    def _is_repeated(self, message: Message, before: Iterable[Remembered]) -> bool:
        """Whether the same person has just said the very same."""
        return any(
            timedelta() <= message.sent_at - one.message.sent_at <= self.policy.repeated_within
            and same_words(message.text, one.message.text)
            for one in before
        )

    def _expected(self, conversation: Conversation, now: datetime) -> timedelta | None:
        """None, too, if people leave before."""
        expected, hours = self.expected(conversation), self.policy.hours
        if expected and hours.is_open(now) and not hours.is_open(now + expected):
            return None
        return expected

    def _follows_ready_answer(self, message: Message, before: Iterable[Remembered]) -> bool:
        """Whether we have given one lately: it says how to reach a human."""
        return any(
            one.decision.answer is not None
            and one.acknowledgement is not None
            and abs(message.sent_at - one.message.sent_at) <= self.policy.hands_off
            for one in before
        )

    def _saying(
        self,
        message: Message,
        understanding: Understanding,
        decision: Decision,
        place: Place,
        now: datetime,
    ) -> Saying:
        """What the words depend on; `place` is where this very text stands."""
        assert decision.purpose, "only what is answered is said"  # noqa: S101
        hours, conversation = self.policy.hours, message.conversation
        # What cannot wait is not told how long it may have to.
        waits = decision.priority != "highest"
        # Asked where nobody else reads it, if there is such a place.
        removal_here = place == "private" or not decision.continues
        return Saying(
            message_id=message.id,
            purpose=decision.purpose,
            topic=understanding.topics[0] if understanding.topics else "other",
            is_grave=decision.is_grave,
            # A word that is of one language only says which, better than any guess.
            language=self.voice.command_language(message.text) or understanding.language,
            channel=conversation.channel,
            place=place,
            # In private nobody needs an @handle to know who is meant.
            called=called(message, public=place != "private"),
            brand=self.name_of(conversation),
            reference=reference(conversation),
            expected=self._expected(conversation, now) if waits else None,
            back_at=hours.opens_at(now) if waits and not hours.is_open(now) else None,
            now=hours.local(now),
            asks_removal=decision.asks_removal and removal_here,
            answer=decision.answer.text if decision.answer else None,
        )


def _without_personal_data(message: Message) -> Message:
    """What it means does not depend on it, nor on where it was written."""
    return replace(message, text=find(message.text).text)


def _unanswered(before: Iterable[Remembered], standing: Standing) -> list[datetime]:
    """When the customer asked or complained before, without a human's answer since."""
    return [
        one.message.sent_at
        for one in before
        if one.waits_for_human
        and (standing.human_at is None or standing.human_at < one.message.sent_at)
    ]
