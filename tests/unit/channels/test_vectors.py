"""The published vectors of docs/contracts/signatures.json: anybody's verifier should agree."""

import base64
import json
from datetime import datetime
from typing import Any

import pytest

from firstreply.channels import Knock
from tests.unit.channels.samples import ROOT, named

VECTORS = json.loads((ROOT / "docs/contracts/signatures.json").read_text("utf-8"))
SECRETS = {"meta": "app_secrets", "x": "consumer_secrets", "generic": "secrets"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['channel']}: {v['name']}")
def test_the_verifier_agrees_with_the_published_vectors(vector: dict[str, Any]) -> None:
    at = datetime.fromisoformat(vector["at"]) if "at" in vector else None
    knock = Knock(headers=vector["headers"], body=base64.b64decode(vector["body_base64"]), at=at)
    secret = {SECRETS[vector["channel"]]: vector["secrets"]}
    assert named(vector["channel"]).is_signed(knock, secret) is vector["verdict"]


def test_the_vectors_cover_every_channel_with_both_verdicts() -> None:
    covered = {(vector["channel"], vector["verdict"]) for vector in VECTORS}
    assert covered == {(channel, verdict) for channel in SECRETS for verdict in (True, False)}
