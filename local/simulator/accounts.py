"""The brand's accounts on the platforms, read from FirstReply's one secret."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

OPTIONAL: Final = ("handle", "api", "app_secret")  # of an account in the secret's part of Meta


@dataclass(frozen=True)
class Page:
    """A Facebook Page or, if it has a handle, an Instagram account, and the token of it."""

    id: str
    name: str
    token: str
    handle: str = ""
    api: Literal["facebook", "instagram"] = "facebook"  # by which login, so at which host
    app_secret: str = ""  # of the app that speaks for it, where that is another one

    @property
    def is_instagram(self) -> bool:
        return bool(self.handle)


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
                id: Page(id, name=known.get("name", ""), token=known["token"], **_optional(known))
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


def _optional(account: Mapping[str, Any]) -> dict[str, Any]:
    return {name: account[name] for name in OPTIONAL if name in account}


def _whsec(words: str) -> str:
    return "whsec_" + b64encode(words.encode()).decode()


DEMO_SECRET: Mapping[str, Any] = {
    "meta": {
        "app_secrets": ["demo-app-secret-not-real", "demo-instagram-app-secret-not-real"],
        "verify_token": "demo-verify-token-not-real",
        "accounts": {
            "102030405060708": {"token": "demo-page-token-not-real", "name": "Larkspur Air"},
            "17841400000000001": {
                "token": "demo-instagram-token-not-real",
                "name": "Larkspur Air",
                "handle": "larkspurair",
            },
            "17841400000000002": {
                "token": "demo-instagram-login-token-not-real",
                "name": "Larkspur Holidays",
                "handle": "larkspurholidays",
                "api": "instagram",
                "app_secret": "demo-instagram-app-secret-not-real",
            },
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
