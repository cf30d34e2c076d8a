"""What a function may import before its first message: cold starts are counted, not timed."""

import json
from collections.abc import Iterator, Mapping

import pytest

from bench.cold import ENVIRONMENT, FLOOR, READY
from bench.shipped import CLASSIFY, LAYER, Python, shipped

# Of what each is ready without. asyncio: nothing of ours waits for several things at once.
WITHOUT = {
    "webhook": {"pydantic", "httpx", "oauthlib", "yaml", "asyncio", "firstreply.conversations"},
    "classify": {"httpx", "oauthlib", "asyncio", "numpy", "onnxruntime", "fasttext"},
    "fetch": {"yaml", "asyncio", "firstreply.conversations", "firstreply.voice"},
    "respond": {"asyncio", "numpy", "onnxruntime", "fasttext"},
    "escalate": {"httpx", "oauthlib", "asyncio", "numpy", "onnxruntime"},
}
MODELS_OF_OTHERS = {"functions.classify.bedrock", "functions.classify.comprehend"}
# Modules, to those of one client of boto3's.
MOST = {"webhook": 1.2, "classify": 1.5, "fetch": 1.55, "respond": 1.65, "escalate": 1.42}


@pytest.fixture(scope="module")
def modules() -> Iterator[Mapping[str, set[str]]]:
    """By function, and of the floor, as Lambda has them."""
    with shipped(LAYER, CLASSIFY) as python:
        yield {name: _modules(python, code) for name, code in {"floor": FLOOR, **READY}.items()}


def _modules(python: Python, code: str) -> set[str]:
    show = "import json, sys; print(json.dumps(list(sys.modules)))"
    return set(json.loads(python.run(f"{code}\n{show}", ENVIRONMENT, keep=True)))


@pytest.mark.parametrize("function", READY)
def test_a_function_is_ready_without_what_it_does_not_need(
    modules: Mapping[str, set[str]], function: str
) -> None:
    assert modules[function] & (WITHOUT[function] | MODELS_OF_OTHERS) == set()


@pytest.mark.parametrize("function", READY)
def test_a_function_imports_little_more_than_a_client_of_boto3_s(
    modules: Mapping[str, set[str]], function: str
) -> None:
    assert len(modules[function]) <= MOST[function] * len(modules["floor"])


def test_respond_reads_no_words() -> None:
    """What to say was decided by classify; here only policy is asked once more."""
    code = READY["respond"] + "from firstreply import brand; print(brand.voice.cache_info().misses)"
    with shipped(LAYER) as python:
        assert python.run(code, ENVIRONMENT).strip() == "0"
