"""Cold start: a fresh process gets ready for its first message, against one that makes one client
of boto3's."""

from __future__ import annotations

from functools import partial

from bench.harness import Goal, Section, Spread, Table, alternate, ratio, spread
from bench.shipped import CLASSIFY, LAYER, Python, shipped

FLOOR = "import boto3; boto3.client('dynamodb')"
# Everything that is built when it is needed, up to the models of what comes in and goes out.
READY = {
    "webhook": """
from functions.webhook import app
from firstreply.channels import entrance
app.door(), entrance("meta")
""",
    "classify": """
from functions.classify import app
from firstreply.channels import entrance
from firstreply.contracts import ReplyRequested
from firstreply.conversations import Case, Remembered
from firstreply.queues import Complaint
app.reading(), entrance("meta")
for one in (ReplyRequested, Remembered, Case, Complaint): one.model_rebuild()
""",
    "fetch": """
from functions.fetch import app
from firstreply.channels import channel
from firstreply.queues import Hinted
app.fetching(), app.fetch_queue(), channel("meta"), Hinted.model_rebuild()
""",
    "respond": """
from functions.respond import app
from firstreply.channels import channel
from firstreply.contracts import ReplyRequested
from firstreply.conversations import Case, Remembered
from firstreply.outbox import Entry
from firstreply.queues import Complaint
class Context: aws_request_id = "cold"
app.speaking(Context()), app.reply_queue(), channel("meta")
for one in (ReplyRequested, Remembered, Case, Entry, Complaint): one.model_rebuild()
""",
    "escalate": """
from functions.escalate import app
from firstreply.contracts import CaseOpened
from firstreply.conversations import Case, Remembered
from firstreply.queues import Complaint
app.cases()
for one in (Complaint, Remembered, Case, CaseOpened): one.model_rebuild()
""",
}
MOST = {"webhook": 1.25} | dict.fromkeys(("classify", "fetch", "respond", "escalate"), 2.0)
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "PYDANTIC_DISABLE_PLUGINS": "true",
    "INBOX_TABLE": "inbox",
    "INBOX_RETENTION_DAYS": "14",
    "CONVERSATIONS_TABLE": "conversations",
    "CONVERSATION_RETENTION_DAYS": "90",
    "SECRET_ARN": "secret",
    "AUTO_REPLY": "on",
    "COOL_DOWN_MINUTES": "30",
    "COMPREHEND_SENTIMENT": "off",
    **{
        f"{name}_QUEUE_URL": "http://127.0.0.1:9/queue"
        for name in ("REPLY", "COMPLAINT", "ESCALATION", "FETCH", "INBOX_DEAD_LETTER")
    },
}
_HEAVY = ("pydantic", "httpx", "yaml", "numpy", "onnxruntime", "fasttext", "asyncio")


def measure(*, quick: bool) -> Section:
    with shipped(LAYER, CLASSIFY) as python:
        codes = {"floor": FLOOR} | READY
        for code in codes.values():
            python.run(code, ENVIRONMENT, keep=True)
        warm = _times(python, 3 if quick else 12)
        modules = {name: _modules(python, code) for name, code in codes.items()}
        python.forget_compiled()
        bare = _times(python, 2 if quick else 4)
    ratios = {name: ratio(warm[name], warm["floor"]) for name in READY}
    without = {name: ratio(bare[name], bare["floor"]) for name in READY}
    rows = [
        ("`boto3.client`", spread(warm["floor"]).show(" ms", 0), "1", "1", *_of(modules["floor"]))
    ]
    rows += [
        (
            name,
            spread(warm[name]).show(" ms", 0),
            _show(ratios[name]),
            _show(without[name]),
            *_of(modules[name]),
        )
        for name in READY
    ]
    return Section(
        name="cold",
        title="Cold start",
        about="A fresh process imports a function and builds all that it builds before its first"
        " message (clients, policy, words, the models of what comes in and goes out), without any"
        ' call to AWS; against one that does `boto3.client("dynamodb")`. CPU time, user and system,'
        " the interpreter's start included. Both see what Lambda has, not what a developer has.",
        tables=(
            Table(
                (
                    "",
                    "CPU",
                    "ratio",
                    "ratio, without .pyc (`sam build` alone)",
                    "modules",
                    "heavy ones among them",
                ),
                tuple(rows),
            ),
        ),
        goals=tuple(
            Goal(f"{name}: to `boto3.client`", MOST[name], ratios[name].median) for name in READY
        ),
        notes=(
            "Removed or delayed to get there: Powertools' batch processor (it brings asyncio and"
            " every event of AWS), models that a function does not use (each is built when it is),"
            " the brand's words in respond, the Conversations in fetch, the optional back ends in"
            " classify. `tests/unit/test_imports_budget.py` keeps them out.",
            "classify's encoders are loaded by its first message, and so not here:"
            " [Understanding](#understanding).",
            "With the .pyc that `make build` leaves in the layers and the functions. `sam build`"
            " alone leaves none, and Lambda can write none: everything of ours is compiled anew in"
            " each cold start then, while boto3 is the run time's own. The column says what that"
            " does.",
        ),
        figures={name: one.median for name, one in ratios.items()},
        quick=quick,
    )


def _times(python: Python, rounds: int) -> dict[str, list[float]]:
    codes = {"floor": FLOOR} | READY
    return alternate(
        rounds,
        {name: partial(python.cpu_ms, code, ENVIRONMENT) for name, code in codes.items()},
    )


def _modules(python: Python, code: str) -> tuple[int, str]:
    show = f"import sys; print(len(sys.modules), *[n for n in {_HEAVY!r} if n in sys.modules])"
    told = python.run(f"{code}\n{show}", ENVIRONMENT).split()
    return int(told[0]), ", ".join(told[1:])


def _of(modules: tuple[int, str]) -> tuple[str, str]:
    return str(modules[0]), modules[1]


def _show(one: Spread) -> str:
    return one.show("×")
