"""Understanding: how fast the offline classifier reads, how long it loads, what memory it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bench.cold import ENVIRONMENT
from bench.harness import Section, Table, spread
from bench.shipped import CLASSIFY, LAYER, shipped

SHORT = {
    "en": "My parcel is two weeks late and nobody answers.",
    "de": "Mein Paket kommt seit zwei Wochen nicht an.",
    "es": "Mi pedido lleva dos semanas de retraso.",
    "fr": "Mon colis a deux semaines de retard.",
    "pt": "A minha encomenda está duas semanas atrasada.",
    "it": "Il mio pacco è in ritardo di due settimane.",
    "nl": "Mijn pakket is al twee weken te laat.",
}
LONG = {
    "en": "I ordered a kettle on the third, was told that it would come on the tenth, and have"
    " heard nothing since. Your app shows an error when I open the order, and the phone line hangs"
    " up after twenty minutes. Please send it or give me my money back, I need one or the other.",
    "de": "Ich habe am Dritten einen Wasserkocher bestellt, er sollte am Zehnten kommen, und"
    " seitdem höre ich nichts mehr. Die App zeigt beim Öffnen der Bestellung einen Fehler, und"
    " am Telefon werde ich nach zwanzig Minuten getrennt. Bitte schicken Sie ihn oder erstatten"
    " Sie das Geld.",
    "es": "Pedí un hervidor el día tres, me dijeron que llegaría el diez y desde entonces no sé"
    " nada. La aplicación da error cuando abro el pedido y el teléfono se corta a los veinte"
    " minutos. Por favor, envíenlo o devuélvanme el dinero, necesito una de las dos cosas.",
}
# In a process of its own: its memory is what the classifier's is.
_CODE = """
import json, sys, time
from datetime import UTC, datetime
from resource import RUSAGE_SELF, getrusage
from firstreply import brand
from firstreply.message import Conversation, Message
from functions.classify.offline import offline

def resident():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return getrusage(RUSAGE_SELF).ru_maxrss / 1024

def message(text):
    where = Conversation(channel="meta", account="1", customer="2")
    return Message(id="1", conversation=where, network="facebook", kind="comment", text=text,
                   sent_at=datetime.now(UTC), public=True)

texts, seconds = json.loads(TEXTS), SECONDS
classifier = offline(brand.policy(cool_down_minutes=30, auto_reply=True).complaint_bands)
before, began = resident(), time.process_time()
classifier.understand(message("Hello there, are you open?"))
loaded, after = time.process_time() - began, resident()
speeds = {}
for name, some in texts.items():
    for text in some: classifier.understand(message(text))
    done, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        for number, text in enumerate(some):
            classifier.understand(message(f"{text} {done}"))
            done += 1
    speeds[name] = done / (time.process_time() - began)
print(json.dumps({"load_ms": loaded * 1000, "mb": after - before, "peak_mb": resident() - before,
                  "speeds": speeds}))
"""


def measure(*, quick: bool) -> Section:
    kinds = {
        "English, short": [SHORT["en"]],
        "seven languages, short": list(SHORT.values()),
        "English, long": [LONG["en"]],
        "three languages, long": list(LONG.values()),
    }
    runs = 1 if quick else 3
    code = _CODE.replace("TEXTS", repr(json.dumps(kinds)))
    code = code.replace("SECONDS", str(0.5 if quick else 2))
    found = []
    with shipped(LAYER, CLASSIFY) as python:
        python.run("from functions.classify.trained import encoder", ENVIRONMENT, keep=True)
        found = [json.loads(python.run(code, ENVIRONMENT)) for _ in range(runs)]
    speeds = {name: spread([one["speeds"][name] for one in found]) for name in kinds}
    letters = {name: sum(map(len, texts)) // len(texts) for name, texts in kinds.items()}
    return Section(
        name="understanding",
        title="Understanding",
        about="The offline classifier (language, two encoders, urgency) in one process on one"
        f" thread; messages of our own, {runs} processes. Messages per second of CPU time. Its"
        " load, at a process's first message, is part of no other figure here.",
        tables=(
            Table(
                ("messages", "letters", "a second and core", "each"),
                tuple(
                    (
                        name,
                        str(letters[name]),
                        one.show("", 0),
                        f"{1000 / one.median:.1f} ms",
                    )
                    for name, one in speeds.items()
                ),
            ),
            Table(
                ("loading", ""),
                (
                    ("CPU time", _show(found, "load_ms", " ms")),
                    ("memory", _show(found, "mb", " MB")),
                    ("memory after all of the above", _show(found, "peak_mb", " MB")),
                ),
            ),
        ),
        figures={name: one.median for name, one in speeds.items()},
        quick=quick,
    )


def _show(found: list[Mapping[str, float]], name: str, unit: str) -> str:
    return spread([one[name] for one in found]).show(unit, 0)
