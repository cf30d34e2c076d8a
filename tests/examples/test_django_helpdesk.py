"""The example worker, as its own process, against a real helpdesk: django-helpdesk on SQLite with
its REST API and its webhook, started here."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import free_port
from tests.examples.desk import Shop, event
from tests.examples.site import (
    FORM,
    PASSWORD,
    Site,
    comments,
    end,
    open_site,
    started,
    until,
    work_for,
)
from tests.examples.sqs import serving, sqs_app

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture
def aws(shop: Shop) -> Iterator[str]:
    with serving(sqs_app()) as url:
        yield url


type Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(site: Site, shop: Shop, aws: str, tmp_path: Path) -> Iterator[Start]:
    """The worker; the one before is to be ended first, it has the webhook's port."""
    with started() as running:

        def run(memory: str = "kept.sqlite") -> subprocess.Popen[str]:
            settings = {
                "AWS_ENDPOINT_URL_SQS": aws,
                "ESCALATION_QUEUE_URL": shop.urls["escalation"],
                "REPLY_QUEUE_URL": shop.urls["reply"],
            }
            process = work_for(site, tmp_path / memory, settings)
            running.append(process)
            return process

        yield run


def test_a_case_s_whole_life(site: Site, shop: Shop, start: Start) -> None:
    words = "{% load x %} {{ nothing }} {# #42 and <b>*mine*</b>"  # whatever it is to a template
    shop.put(event("opened", "m1", "It broke", case=11))
    worker = start()
    until(lambda: shop.left() == 0, "the ticket is opened")
    ticket = site.ticket("case-11")
    assert (ticket["status"], ticket["priority"]) == (1, 3)
    assert "> It broke" in ticket["description"]

    shop.put(event("updated", "m2", words, case=11))
    until(lambda: shop.left() == 0, "the update is a follow-up")
    assert f"> {words.replace('<', '‹')}" in comments(site.ticket("case-11"))[1]
    assert not site.ticket("case-11")["followup_set"][1]["public"]

    site.answer("case-11", "only for colleagues", public=False)
    assert site.answer("case-11", "It is on its way.").status_code == 201
    (request,) = until(lambda: _of_case(shop, "11"), "the agent's answer is requested")
    assert request["data"]["text"] == "It is on its way."
    assert request["data"]["in_reply_to"] == "m2"
    assert request["data"]["conversation"]["customer"] == "11"

    assert site.answer("case-11", "Solved.", new_status=3).status_code == 201
    until(lambda: len(_of_case(shop, "11")) == 2, "the closing words are requested")
    until(lambda: len(_closings(shop, "11")) == 1, "and the closing")
    shop.put(event("updated", "m3", "It is not!", case=11))
    until(lambda: shop.left() == 0, "the next message is told")
    assert site.ticket("case-11")["status"] == 2, "reopened"

    shop.put(event("withdrawn", "m1", case=11), event("withdrawn", "m2", case=11))
    shop.put(event("closed", case=11))
    until(lambda: shop.left() == 0, "it is forgotten and closed")
    ticket = site.ticket("case-11")
    assert ticket["status"] == 4
    assert "It broke" not in json.dumps(ticket)
    assert "mine" not in json.dumps(ticket)
    assert "It is not!" in json.dumps(ticket)
    said = end(worker)
    assert len(_of_case(shop, "11")) == 2
    assert "Traceback" not in said
    for secret in ("It broke", "mine", "on its way", site.made["worker"]["token"]):
        assert secret not in said


def test_an_agent_answers_in_the_browser(site: Site, shop: Shop, start: Start) -> None:
    trick = "\x00![x](https://evil.example/x.png) [in](https://evil.example/)\n# Big\r```\n<b>x</b>"
    shop.put(event("opened", text=f"It broke {trick}", case=51))
    shop.put(event("updated", "m0", trick, case=51))
    worker = start()
    until(lambda: shop.left() == 0, "the ticket is opened")
    with httpx.Client(base_url=site.url, follow_redirects=True, timeout=20) as browser:
        browser.get("/login/").raise_for_status()
        form = {"username": "sam", "password": PASSWORD}
        browser.post("/login/", data=form | _token(browser)).raise_for_status()
        path = f"/tickets/{site.ticket('case-51')['id']}/"
        page = browser.get(path).raise_for_status().text
        assert "&gt; It broke ![x](https://evil.example/x.png) [in](https://evil" in page
        assert not re.search(r"<(img|a)[^>]*evil|<h1>Big|<b>x", page)
        assert page.count("https://evil.example/x.png") >= 3, "in the description and each note"
        for words, public in (("For us.", {}), ("From the browser.", {"public": "1"})):
            form = {"comment": words, "new_status": "1", "owner": "0", **public}
            form |= {name: str(site.ticket("case-51")[name]) for name in FORM}
            browser.post(f"{path}update/", data=form | _token(browser)).raise_for_status()
    until(lambda: _of_case(shop, "51"), "the answer is requested")
    assert [one["data"]["text"] for one in _of_case(shop, "51")] == ["From the browser."]
    shop.put(event("updated", "m2", "Thanks", case=51))
    until(lambda: shop.left() == 0, "the next message is told")
    assert len(comments(site.ticket("case-51"))) == 5, "in the same ticket"
    assert "<" not in json.dumps(site.ticket("case-51")["followup_set"]), "it is HTML in mails"
    end(worker)


def _token(browser: httpx.Client) -> dict[str, str]:
    return {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}


def test_killed_and_started_with_nothing_it_makes_no_second_ticket(
    site: Site, shop: Shop, start: Start
) -> None:
    cases = range(21, 27)
    shop.put(*(event("opened", case=case) for case in cases))
    shop.put(*(event("updated", "m2", "Hello?", case=case) for case in cases))
    worker = start()
    until(lambda: site.tickets("case-22"), "the second ticket")
    worker.kill()
    worker.wait()
    left = shop.left()
    assert left
    shop.let_time_pass()
    shop.put(event("opened", case=21))  # and what had been done comes again
    worker = start("another.sqlite")
    until(lambda: shop.left() == 0, "all is told")
    for case in cases:
        assert len(comments(site.ticket(f"case-{case}"))) == 2
    end(worker)


def test_what_agents_answer_while_it_is_down_is_carried_when_it_is_back(
    site: Site, shop: Shop, start: Start
) -> None:
    """The webhook is lost (and the agent sees an error, though the answer is stored)."""
    shop.put(event("opened", case=31))
    worker = start()
    until(lambda: shop.left() == 0, "the ticket is opened")
    end(worker)
    site.answer("case-31", "Meanwhile.")
    for times, memory in enumerate(("kept.sqlite", "another.sqlite"), start=1):
        worker = start(memory)
        until(lambda: len(_of_case(shop, "31")) >= times, "the answer is requested")  # noqa: B023
        end(worker)
    requests = _of_case(shop, "31")
    assert len({json.dumps(one) for one in requests}) == 1, "the same, to the letter"
    assert requests[0]["data"]["text"] == "Meanwhile."


def test_while_the_helpdesk_is_down_the_worker_waits(
    site: Site, shop: Shop, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = site.url
    monkeypatch.setattr(site, "url", f"http://127.0.0.1:{free_port()}")
    shop.put(event("opened", case=41), event("opened", case=42))
    worker = start()
    assert worker.stderr
    for line in worker.stderr:
        if "put back" in line:
            break
    assert shop.left() == 2
    end(worker)
    monkeypatch.setattr(site, "url", there)
    shop.let_time_pass()
    worker = start()
    until(lambda: shop.left() == 0, "it goes on")
    assert site.ticket("case-41")
    assert site.ticket("case-42")
    end(worker)


def _asked(shop: Shop, customer: str) -> list[dict[str, Any]]:
    return [r for r in shop.requests() if r["data"]["conversation"]["customer"] == customer]


def _of_case(shop: Shop, customer: str) -> list[dict[str, Any]]:
    """What is to be said."""
    return [r for r in _asked(shop, customer) if "text" in r["data"]]


def _closings(shop: Shop, customer: str) -> list[dict[str, Any]]:
    return [r for r in _asked(shop, customer) if r["data"].get("close_case")]
