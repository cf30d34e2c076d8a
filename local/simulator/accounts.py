"""The brand's accounts on the platforms, read from FirstReply's one secret."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Page:
    """A Facebook Page (or an Instagram account) and the token that speaks for it."""

    id: str
    name: str
    token: str


@dataclass(frozen=True)
class Profile:
    """An account on X and the OAuth 1.0a token that speaks for it."""

    id: str
    name: str
    handle: str
    token: str
    token_secret: str


@dataclass(frozen=True)
class Accounts:
    app_secrets: tuple[str, ...]
    verify_token: str
    pages: Mapping[str, Page]
    consumer_key: str
    consumer_secrets: tuple[str, ...]
    profiles: Mapping[str, Profile]

    @classmethod
    def read(cls, secret: Mapping[str, Any]) -> Self:
        meta, x = secret.get("meta", {}), secret.get("x", {})
        return cls(
            app_secrets=tuple(meta.get("app_secrets", ())),
            verify_token=meta.get("verify_token", ""),
            pages={
                id: Page(id, known.get("name", ""), known["token"])
                for id, known in meta.get("accounts", {}).items()
            },
            consumer_key=x.get("consumer_key", ""),
            consumer_secrets=tuple(x.get("consumer_secrets", ())),
            profiles={
                id: Profile(
                    id,
                    known.get("name", ""),
                    known.get("handle", ""),
                    known["access_token"],
                    known["access_token_secret"],
                )
                for id, known in x.get("accounts", {}).items()
            },
        )


def _whsec(words: str) -> str:
    return "whsec_" + b64encode(words.encode()).decode()


DEMO_SECRET: Mapping[str, Any] = {
    "meta": {
        "app_secrets": ["demo-app-secret-not-real"],
        "verify_token": "demo-verify-token-not-real",
        "accounts": {
            "102030405060708": {"token": "demo-page-token-not-real", "name": "Larkspur Air"}
        },
    },
    "x": {
        "consumer_key": "demo-consumer-key-not-real",
        "consumer_secrets": ["demo-consumer-secret-not-real"],
        "accounts": {
            "1500000000000000001": {
                "access_token": "1500000000000000001-demo-access-token-not-real",
                "access_token_secret": "demo-access-token-secret-not-real",
                "name": "Larkspur Air",
                "handle": "LarkspurAir",
            }
        },
    },
    "helpdesk": {"secrets": [_whsec("demo helpdesk secret, not real")]},
    "generic": {"secrets": [_whsec("demo generic secret, not real!")]},
}
