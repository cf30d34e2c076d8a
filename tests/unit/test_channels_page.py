"""docs/channels.md can be followed: what it says to paste is taken."""

import re
import subprocess
from pathlib import Path

from flask import Flask, Response, request

from local.simulator import DEMO_SECRET
from tests.aws import World
from tests.examples.sqs import serving

PAGE = (Path(__file__).parents[2] / "docs" / "channels.md").read_text("utf-8")


def test_a_review_is_posted_as_the_page_says_and_becomes_a_case(stack: World) -> None:
    (pasted,) = re.findall(r"^```\n(SECRET=.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    settings, rest = pasted.split("\n", 1)
    assert re.fullmatch(
        "SECRET=whsec_… API_URL=https://….execute-api.eu-west-1.amazonaws.com", settings
    )
    app = Flask("the API")

    @app.post("/webhooks/<name>")
    def door(name: str) -> Response:
        headers = {key.lower(): value for key, value in request.headers.items()}
        answer = stack.knock(name, request.get_data(as_text=True), headers)
        return Response(answer["body"], answer["statusCode"])

    with serving(app) as url:
        settings = f"SECRET={DEMO_SECRET['generic']['secrets'][0]} API_URL={url}\n"
        done = subprocess.run(
            ["bash", "-ec", settings + rest], capture_output=True, text=True, check=True
        )
    assert done.stdout.startswith("HTTP/1.1 200"), done.stdout
    stack.drain()
    (case,) = stack.events()
    assert case["type"] == "firstreply.case.opened.v1"
    assert case["data"]["channel"] == "google_business"
    assert case["data"]["message"]["verdict"] == "negative"
