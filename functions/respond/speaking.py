"""Saying something at most once, and never losing what could not be said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import httpx

from firstreply.accounts import Accounts
from firstreply.batch import Deadline
from firstreply.channels import Channel, channel, threads
from firstreply.contracts import ReplyRequested
from firstreply.conversations import Conversations, Remembered
from firstreply.errors import AccountDead, Refuse, TryLater, Unsure
from firstreply.message import Part, Reply
from firstreply.observe import count, decided, took
from firstreply.outbox import Entry, Outbox, State, Turn
from firstreply.platform import CALL_SECONDS, Platform
from firstreply.policy import Decision, Policy, Silence, decide
from firstreply.queues import CloseCase, Complaint, FailedReply, Queue
from firstreply.secrets import Secrets, accounts_of
from firstreply.waiting import Waiting

# Why a reply was not said, for who counts: our own policy, the platform, an account without a valid
# token, or a platform that was not reached, or asked us to wait, for too long.
type Cause = Literal["policy", "platform", "account", "gave_up"]

# To send and to record the outcome: at most three calls to the platform (Messenger takes courtesies
# first), and one to AWS with its second try.
TIME_TO_SEND = timedelta(seconds=3 * CALL_SECONDS + 8)
# A platform may show a reply it accepted only after a moment: ask not before.
SETTLING = timedelta(seconds=10)
# How often a reply that is shown not to be there is sent anew. Then a human gets it, before the
# ReplyQueue's last try: whoever takes it may be what kills us.
MOST_REARMS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaking:
    """The only way out to a customer. `setting` reads what a channel needs of the environment."""

    conversations: Conversations
    outbox: Outbox
    accounts: Accounts
    secrets: Secrets
    http: httpx.Client
    setting: Callable[[str], str]
    policy: Policy
    waiting: Waiting
    complaints: Queue
    clock: Callable[[], datetime]
    deadline: Deadline

    def say(self, request: ReplyRequested) -> None:
        """Say it, unless it was said. TryLater when it is not decided yet; then ask again."""
        self._each_part(request, _OneReply.go_on_from)

    def give_up(self, request: ReplyRequested, reason: str) -> None:
        """Leave it to a human, unless it was said after all."""
        self._each_part(request, _giving_up(reason))

    def _each_part(
        self, request: ReplyRequested, do: Callable[[_OneReply, Entry], str | None]
    ) -> None:
        """Each under the one before, so none is begun before that is there."""
        if not request.data.text:
            self._close(request)
            return
        whole = self._find(request)
        if whole is None:
            return
        try:
            parts, entry = self._begun(whole)
        except Refuse as error:
            parts, entry, do = [whole], self._claim(whole), _giving_up(error.reason)
        if self.outbox.is_other(whole.reply, entry):
            reason = "the same request has asked for something else before"
            decided("reply", "ignored", reason, level="warning", reply=whole.reply.key)
            return
        above = do(parts[0], entry)
        for part in parts[1:]:
            if above is None:
                return
            one = part.under(above)
            above = do(one, self._claim(one))

    def _begun(self, whole: _OneReply) -> tuple[list[_OneReply], Entry]:
        """In how many parts, and where the first one stands. However it was begun it goes on, even
        if policy says otherwise by now: what has been said cannot be split again."""
        where = whole.reply.message.conversation
        may_split = self.policy.long_answers.get(where.channel) == "thread"
        parts = whole.in_parts() if may_split else [whole]
        entry = self._claim(parts[0])
        if entry.parts != len(parts):
            parts = whole.in_parts() if entry.parts > 1 else [whole]
        return parts, entry

    def _claim(self, one: _OneReply) -> Entry:
        return self.outbox.claim(one.reply, self.clock())

    def _find(self, request: ReplyRequested) -> _OneReply | None:
        """None if there is nothing to say any more."""
        asked = request.data
        remembered = self.conversations.load(asked.conversation, asked.in_reply_to or "")
        if remembered is None:
            raise Refuse("the message to answer is not remembered")
        message = remembered.message
        if asked.author.kind == "agent":
            reply = Reply(
                key=f"{message.id}#{_agent_key(request)}",
                message=message,
                text=asked.text,
                in_private=asked.in_private,
                by_human=True,
                heard_at=self.conversations.heard_at(message.conversation),
                author=asked.author.name,
                request_id=request.id,
            )
        elif text := (remembered.continuation if asked.in_private else remembered.acknowledgement):
            # Ours is what was decided; nobody else can put words into FirstReply's mouth.
            reply = Reply(
                key=f"{message.id}#{'private' if asked.in_private else 'ack'}",
                message=message,
                text=text,
                in_private=asked.in_private,
                invites=not asked.in_private
                and remembered.decision.place == "both"
                and message.conversation.channel in self.policy.invite_to_private,
            )
        elif remembered.removed_at:
            return None
        else:
            raise Refuse("there is nothing to acknowledge")
        return _OneReply(self, reply, remembered, _closing(request))

    def _close(self, request: ReplyRequested) -> None:
        """Without a word. Asking again is harmless: escalate knows the wish."""
        if closing := _closing(request):
            asked = Complaint(conversation=request.data.conversation, close=closing)
            self.complaints.send_all([asked])


def _closing(request: ReplyRequested) -> CloseCase | None:
    """Only a human closes a case."""
    asked = request.data
    if not asked.close_case or asked.author.kind != "agent":
        return None
    return CloseCase(
        key=_agent_key(request),
        asked_at=request.time,
        by=asked.author.name,
        seen=asked.in_reply_to,
    )


def _agent_key(request: ReplyRequested) -> str:
    """The idempotency key of a CloudEvent is its id with its source."""
    return "agent-" + sha256(f"{request.source}\0{request.id}".encode()).hexdigest()[:32]


def _giving_up(reason: str) -> Callable[[_OneReply, Entry], str | None]:
    return lambda one, entry: one.give_up(entry, reason)


@dataclass(frozen=True, slots=True)
class _OneReply:
    """One reply on its way through the outbox, or a part of one; `closing`: the case is closed once
    it is sent."""

    way: Speaking
    reply: Reply
    remembered: Remembered
    closing: CloseCase | None = None

    def in_parts(self) -> list[_OneReply]:
        """As a thread, if a human's public words need one. Refuse if it would be too long."""
        reply, said_on = self.reply, threads(self.reply.message.conversation.channel)
        texts = said_on.split(reply.text) if said_on and reply.by_human and reply.is_public else ()
        if len(texts) < 2:
            return [self]
        return [self._part(number, texts) for number in range(1, len(texts) + 1)]

    def _part(self, number: int, texts: Sequence[str]) -> _OneReply:
        """The first keeps the name of the whole; with the last the case may be closed."""
        reply, of = self.reply, len(texts)
        rest = " ".join(texts[number - 1 :]) if number > 1 else reply.text
        part = replace(
            reply,
            key=reply.key + (f"-{number}" if number > 1 else ""),
            text=f"{texts[number - 1]} {number}/{of}",
            part=Part(number=number, of=of, whole=reply.text, rest=rest),
        )
        return replace(self, reply=part, closing=self.closing if number == of else None)

    def under(self, platform_id: str) -> _OneReply:
        """It answers the part before, which has this id."""
        part = self.reply.part and replace(self.reply.part, under=platform_id)
        return replace(self, reply=replace(self.reply, part=part))

    def go_on_from(self, entry: Entry) -> str | None:
        """Whatever happened before: carry on from where the outbox says it stands. The platform's
        id of it once it is sent; None if a human is to say it."""
        if self._is_over(entry):
            return entry.sent_as
        try:
            if self.way.outbox.is_mine(entry):
                return self._send()
            if entry.state == "refused":
                self._hand_over(entry.reason)
                return None
            self._require_rest(entry)
            return self._ask(entry)
        except Refuse as error:
            cause: Cause = "account" if isinstance(error, AccountDead) else "platform"
            self._settle("refused", reason=error.reason, cause=cause)
            self._hand_over(error.reason)
            return None

    def give_up(self, entry: Entry, reason: str) -> str | None:
        """A human gets it, with what stood in the way at first; unless it is sent (its id)."""
        if self._is_over(entry):
            return entry.sent_as
        reason = entry.reason or reason
        if not self.way.outbox.is_mine(entry) and entry.state in ("claimed", "sending"):
            self._require_rest(entry)
        if entry.state != "refused":
            in_doubt = entry.state in ("sending", "unknown")
            state: State = "unknown" if in_doubt else "refused"
            self._settle(state, reason=reason, cause="gave_up", seen=entry)
        self._hand_over(reason)
        return None

    def _is_over(self, entry: Entry) -> bool:
        """Whether there is nothing to say any more; of what is sent, the case may not know yet."""
        if entry.state == "sent" and "sent" not in entry.told:
            self._tell(entry.began_at or self.way.clock())
        return entry.state == "sent" or entry.handed_over

    def _require_rest(self, entry: Entry) -> None:
        """TryLater while somebody may be at it, or the platform may not show it yet."""
        left = entry.lease_until - int(self.way.clock().timestamp())
        if left >= 0 or entry.state == "claimed":
            raise TryLater("not settled yet", after=max(left, 0) + 1)

    def _send(self) -> str | None:
        now, platform = self.way.clock(), self._platform()
        turn = None
        if not self.reply.by_human:
            decision = self._decide(platform, now)
            if decision.silence:
                self._keep_silent(decision)
                return None
            turn = self._turn(decision, platform)
        try:
            self._require_open_account(platform)
            self.way.deadline.require(TIME_TO_SEND)
            if silence := self.way.outbox.begin(self.reply, now, turn):
                self._keep_silent(self._decide(platform, now, silence))
                return None
            platform_id = self._say(platform)
        except (TryLater, Refuse) as error:
            # Nothing was sent, so nothing stands in the way of the next try.
            self.way.outbox.release(self.reply)
            self._note_account(platform, error)
            raise
        except Unsure as error:
            ask_from = self.way.clock() + SETTLING
            self._settle("unknown", reason=error.reason, ask_from=ask_from)
            self._note_account(platform)
            raise TryLater(error.reason, after=int(SETTLING.total_seconds()) + 1) from error
        self._settle("sent", platform_id=platform_id)
        self._measure(now)
        self._note_account(platform)
        self._tell(now)
        return platform_id

    def _turn(self, decision: Decision, platform: Platform) -> Turn:
        """Who says stop or start waits for nothing. One account alone shares no post; where none
        are listed there may be any."""
        policy, is_command = self.way.policy, decision.purpose in ("stopped", "started")
        return Turn(
            cool_down=timedelta() if is_command else policy.cool_down,
            most_a_day=policy.most_answers_a_day,
            is_shared=len(accounts_of(platform.secret)) != 1,
        )

    def _say(self, platform: Platform) -> str:
        """Unsure also if it fails in a way of which nobody has thought: on its answer, perhaps."""
        try:
            return self._channel().send(self.reply, platform)
        except (TryLater, Refuse, Unsure):
            raise
        except Exception as error:
            raise Unsure(f"not understood: {type(error).__name__}") from None

    def _tell(self, said_at: datetime) -> None:
        """What follows from a reply that was sent; doing it again is harmless. Its case hears of
        it, if it is of one."""
        message = self.reply.message
        where = message.conversation
        if self.reply.by_human:
            self.way.waiting.note(where, said_at)
            self.way.conversations.human_spoke(where, said_at, self.way.clock())
        elif not self.remembered.decision.escalate:
            case = self.way.conversations.case(where)
            if case is None or not case.is_open:
                return
        told = Complaint(
            conversation=where,
            message_id=message.id,
            sent_reply=self.reply.key,
            close=self.closing,
        )
        self.way.complaints.send_all([told])

    def _measure(self, said_at: datetime) -> None:
        """How long the customer waited for FirstReply (for a human: waiting.py), and what the
        answer cost, in dollars, as far as we know."""
        where = self.reply.message.conversation.channel
        if self.reply.key.endswith("#ack"):
            asked_at = self.remembered.edited_at or self.reply.message.sent_at
            took("AnswerSeconds", (said_at - asked_at).total_seconds(), channel=where)
        if price := self._channel().price(self.reply, self.way.clock()):
            count("Spent", price, channel=where)

    def _require_open_account(self, platform: Platform) -> None:
        where = self.reply.message.conversation
        self.way.accounts.require_open(where.channel, where.account, self.reply.scope, platform)

    def _note_account(self, platform: Platform, error: Exception | None = None) -> None:
        where = self.reply.message.conversation
        self.way.accounts.note(where.channel, where.account, platform, error)

    def _ask(self, entry: Entry) -> str | None:
        """Sent or not? Only the platform knows; a human gets what it cannot tell."""
        platform = self._platform()
        try:
            self._require_open_account(platform)
            platform_id = self._channel().find_reply(self.reply, platform)
            if platform_id is None and entry.rearmed >= MOST_REARMS:
                raise Unsure(entry.reason or "cut off again and again")
        except TryLater as error:
            self._note_account(platform, error)
            raise
        except (Unsure, Refuse) as error:
            self._note_account(platform, error)
            self._settle("unknown", reason=error.reason, seen=entry)
            self._hand_over(error.reason)
            return None
        if platform_id:
            said_at = entry.began_at or self.way.clock()
            self._settle("sent", platform_id=platform_id)
            self._measure(said_at)
            self._tell(said_at)
            return platform_id
        armed = self.way.outbox.rearm(self.reply, entry, self.way.clock())
        if not self.way.outbox.is_mine(armed):
            raise TryLater("another invocation is at it", after=1)
        return self._send()

    def _decide(self, platform: Platform, now: datetime, found: Silence | None = None) -> Decision:
        """Whether policy still allows it: minutes may have passed in the queue."""
        remembered, message = self.remembered, self.remembered.message
        conversations = self.way.conversations
        standing = replace(
            conversations.standing(message.conversation, answering=message.id, now=now),
            is_own_account=message.conversation.customer in accounts_of(platform.secret),
            is_removed=remembered.removed_at is not None,
            is_hidden=remembered.is_hidden,
            reach=self._channel().reach(message),
        )
        return decide(
            message,
            remembered.understanding,
            standing,
            self.way.policy,
            now,
            remembered.recognised,
            found=found,
        )

    def _keep_silent(self, decision: Decision) -> None:
        """A human sees it who would have seen it, had policy kept silent from the start; and that
        what was announced in public did not follow in private."""
        known = self.remembered.decision.escalate and not self.reply.in_private
        is_news = decision.escalate and not known
        reason = f"unanswered:{decision.silence}"
        self._settle("refused", reason=reason, cause="policy", handed_over=not is_news)
        if is_news:
            self._hand_over(reason)

    def _settle(
        self,
        state: State,
        *,
        platform_id: str = "",
        reason: str = "",
        cause: Cause = "platform",
        **more: Any,  # noqa: ANN401  (the rest of Outbox.settle's)
    ) -> None:
        self.way.outbox.settle(self.reply, state, platform_id=platform_id, reason=reason, **more)
        message = self.reply.message
        where, key = message.conversation.channel, self.reply.key
        decided("reply", state, reason, message_id=message.id, reply=key, channel=where)
        by = {"reason": cause} if state == "refused" else {}
        if "ask_from" not in more:  # else the platform is asked before it counts as in doubt
            count(f"Reply{state.capitalize()}", channel=where, **by)

    def _hand_over(self, reason: str) -> None:
        """Of a thread, all that is not said yet."""
        message, part = self.reply.message, self.reply.part
        text = part.rest if part else self.reply.text
        if part:
            reason = f"part {part.number} of {part.of}: {reason}"
        self.way.complaints.send_all(
            [
                Complaint(
                    conversation=message.conversation,
                    message_id=message.id,
                    failed_reply=FailedReply(key=self.reply.key, text=text, reason=reason),
                )
            ]
        )
        self.way.outbox.mark_handed_over(self.reply)

    def _channel(self) -> Channel:
        found = channel(self.reply.message.conversation.channel)
        if found is None:
            raise Refuse("its channel is gone")
        return found

    def _platform(self) -> Platform:
        section = self.way.secrets.section(self.reply.message.conversation.channel)
        return Platform(self.way.http, self.way.setting, section, self.way.clock)
