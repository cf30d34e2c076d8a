"""What each call to X needs: who is calling, what is left to them, and whether it goes wrong."""

import re
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal, cast

from flask import Response, g, request
from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature as oauth

from local.simulator.accounts import Accounts, Profile
from local.simulator.common import Json, Refusal, with_fault
from local.simulator.faults import At, Fault, FaultName
from local.simulator.places import X_POSTS, Place
from local.simulator.world import World, now
from local.simulator.x_errors import headers_of, ordered, partial_errors, problem, refuse

READ_LIMIT: Final = 300
CLOCKS_APART_SECONDS: Final = 5 * 60
What = Literal["post", "direct_message", "posts", "direct_messages"]


class Desk:
    def __init__(self, accounts: Accounts, world: World) -> None:
        self._known, self._world = accounts, world

    def caller(self, what: What) -> Profile:
        """The account that calls, if it may call once more."""
        profile = self._signer()
        settings = self._world.settings
        limits = {
            "post": settings.x_post_limit,
            "direct_message": settings.x_direct_message_limit,
        }
        g.allowance = self._world.spend(profile.id, what, limits.get(what, READ_LIMIT))
        if g.allowance.remaining < 0:
            refuse("rate_limited")
        return profile

    def _signer(self) -> Profile:
        """The account whose OAuth 1.0a signature the request bears. A JSON body is no part of it,
        the query is."""
        header = {"Authorization": request.headers.get("Authorization", "")}
        query = request.query_string.decode()
        try:
            signed = oauth.collect_parameters(uri_query=query, headers=header)
            sent = dict(oauth.collect_parameters(headers=header, exclude_oauth_signature=False))
        except ValueError:
            refuse("unauthorized")
        profile = self._holder(sent.get("oauth_token"))
        expected = (self._known.consumer_key, "HMAC-SHA1")
        is_app = (sent.get("oauth_consumer_key"), sent.get("oauth_signature_method")) == expected
        if not profile or not is_app:
            refuse("unauthorized")
        claim: Any = Request(request.base_url, cast(Any, request.method))
        claim.params, claim.signature = signed, sent.get("oauth_signature", "")
        if not any(
            oauth.verify_hmac_sha1(claim, secret, profile.token_secret)
            for secret in self._known.consumer_secrets
        ):
            refuse("unauthorized")
        if not self._is_fresh(profile, sent):
            refuse("unauthorized")
        return profile

    def _holder(self, token: str | None) -> Profile | None:
        """The account for which a token speaks at the moment."""
        for profile in self._known.profiles.values():
            now = self._world.x_tokens.get(profile.id, (profile.token, profile.token_secret))
            if now and now[0] == token:
                return replace(profile, token=now[0], token_secret=now[1])
        return None

    def _is_fresh(self, profile: Profile, sent: Json) -> bool:
        """Neither old nor sent before (RFC 5849, 3.3)."""
        stamp, nonce = sent.get("oauth_timestamp", ""), sent.get("oauth_nonce", "")
        if not (re.fullmatch(r"[0-9]{1,12}", stamp) and nonce):
            return False
        if abs(time.time() - int(stamp)) > CLOCKS_APART_SECONDS:
            return False
        return self._world.is_first_use(profile.token, stamp, nonce)

    def place_of(self, profile: Profile, id: str) -> Place:
        """What a post answers, whether or not it can be answered; a post of one's own is as a
        mention."""
        message = self._world.messages.get((profile.id, id))
        return message.place if message and message.place in X_POSTS else "x_mention"

    def go(
        self, places: Collection[Place], accept: Callable[[], Response], at: At = "answer"
    ) -> Response:
        """Do it, if no fault was ordered there."""
        wait = int(now().timestamp()) + self._world.settings.x_window_seconds
        used_up = replace(g.allowance, remaining=0, reset=wait)
        gone = "not_found" if "x_direct_message" in places else "gone"
        refusals: dict[FaultName, Callable[[], Refusal]] = {
            "token_expired": partial(problem, "unauthorized"),
            "gone": partial(problem, gone),
            "rate_limited": partial(problem, "rate_limited", headers_of(used_up)),
            "duplicate": partial(problem, "duplicate"),
            "not_summoned": partial(problem, "not_summoned"),
            "server_error": partial(problem, "server_error"),
        }

        def refusal(fault: Fault) -> Refusal | None:
            if fault.fault == "x_error":
                return ordered(fault)
            if fault.fault == "partial":
                return _partial(fault, accept)
            return refusals[fault.fault]() if fault.fault in refusals else None

        return with_fault(self._world, places, accept, refusal, at)


def _partial(fault: Fault, accept: Callable[[], Response]) -> Refusal:
    """Errors where an answer was expected: beside it, or it was never done."""
    done = accept().get_json() if fault.with_data else {}
    return Refusal(200, done | partial_errors(fault))


def show_limit(response: Response) -> Response:
    if "allowance" in g:
        for name, value in headers_of(g.allowance).items():
            response.headers.setdefault(name, value)
    return response
