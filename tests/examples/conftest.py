from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.examples.desk import Shop, open_shop


@pytest.fixture
def in_moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


@pytest.fixture
def shop(in_moto: None) -> Iterator[Shop]:
    opened = open_shop()
    yield opened
    opened.memory.close()
