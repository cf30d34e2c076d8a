"""The pages say what is: links lead somewhere, commands and names are those of the repository."""

import json
import re
from functools import cache
from typing import Any

import pytest
import yaml

from local.simulator import DEMO_SECRET
from tests.template.cfn import ROOT, resources, template

MADE = {".venv", ".aws-sam", ".local", ".pytest_cache", ".git", "node_modules"}
PAGES = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in sorted(ROOT.rglob("*.md"))
    if not MADE & {*path.relative_to(ROOT).parts} and "model" not in path.parts
}
DEPLOY, SECURITY = PAGES["docs/deploy.md"], PAGES["docs/security-privacy.md"]
WORKFLOWS = {path.name: path.read_text("utf-8") for path in ROOT.glob(".github/workflows/*.yml")}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))

every_page = pytest.mark.parametrize("page", PAGES)
every_workflow = pytest.mark.parametrize("name", sorted(WORKFLOWS))


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def blocks(text: str, *languages: str) -> list[str]:
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.M | re.S)
    return [block for language, block in found if language in languages]


# --- links ------------------------------------------------------------------------------------


@cache
def anchors(page: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", without_code(PAGES[page]), re.M)
    words = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in words}


def links(page: str) -> list[str]:
    text = re.sub(r"`[^`\n]+`", "", without_code(PAGES[page]))
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [one for one in found if not re.match(r"[a-z]+:", one)]


@every_page
def test_a_link_leads_to_a_file_and_a_heading_of_it(page: str) -> None:
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in anchors(str(target.relative_to(ROOT))), f"{page}: {link}"


def test_the_readme_leads_to_every_page() -> None:
    linked = {link.partition("#")[0] for link in links("README.md")}
    top = {page for page in PAGES if re.fullmatch(r"docs/[\w-]+\.md|[A-Z]+\.md", page)}
    assert top - {"README.md"} - linked == set()


# --- commands ---------------------------------------------------------------------------------


@every_page
def test_a_command_on_a_page_is_a_target_of_make(page: str) -> None:
    shell = "\n".join(blocks(PAGES[page], "", "sh", "bash"))
    inline = " ".join(re.findall(r"`(make [^`]+)`", PAGES[page]))
    called = re.findall(r"(?:^|[`$&|(] ?)make ([a-z][a-z-]*)", f"{shell}\n{inline}", re.M)
    assert set(called) - TARGETS == set()


@every_page
def test_a_file_that_is_called_by_its_whole_path_is_there(page: str) -> None:
    """In commands, and where a page names it in backticks."""
    made = {"layers/common/firstreply/channels/guestbook.py", "events/guestbook/entry.json"}
    made |= {"tests/unit/channels/test_guestbook.py"}
    tops = "brand|docs|events|examples|functions|layers|local|operate|tests|training|requirements"
    whole = rf"(?:{tops}|\.github)/[\w./-]*\.(?:py|yaml|yml|md|json|txt)"
    named = set(re.findall(rf"`({whole})`", PAGES[page]))
    for block in blocks(PAGES[page], "", "sh", "bash"):
        named |= set(re.findall(rf"(?:^|\s)({whole})(?=\s|$)", block))
    assert {name for name in named - made if not (ROOT / name).is_file()} == set()


# --- deploying --------------------------------------------------------------------------------


def first_cells(text: str) -> set[str]:
    """The names in the first cells of tables."""
    rows = re.findall(r"^\| (`.+?`) \|", text, re.M)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_parameter_is_explained_and_has_the_default_that_is_said() -> None:
    rows = dict(re.findall(r"^\| `([A-Z]\w+)` \| (`[^`]+`|empty) \|", DEPLOY, re.M))
    parameters = template()["Parameters"]
    assert rows == {
        name: f"`{one['Default']}`" if one["Default"] != "" else "empty"
        for name, one in parameters.items()
    }


def test_the_ranges_that_are_said_are_the_template_s() -> None:
    parameters = template()["Parameters"]
    for name in ("InboxRetentionDays", "ConversationRetentionDays"):
        low, high = parameters[name]["MinValue"], parameters[name]["MaxValue"]
        assert re.search(rf"^\| `{name}` .*\({low} to {high}\)", DEPLOY, re.M)


def test_every_output_is_explained_and_no_other_is_asked_for() -> None:
    outputs = set(template()["Outputs"])
    assert outputs - first_cells(DEPLOY) == set()
    assert set(re.findall(r"\$\(output (\w+)\)", DEPLOY)) <= outputs


@pytest.mark.parametrize("page", ["docs/deploy.md", "SECURITY.md", "docs/cost.md"])
def test_a_name_that_looks_like_the_stack_s_is_in_the_template(page: str) -> None:
    found = set(re.findall(r"\b(\w+(?:QueueUrl|RetentionDays|Arn|Group|Topic))\b", PAGES[page]))
    mine = template()
    known = {*mine["Parameters"], *mine["Outputs"], *mine["Resources"]} | {"PrincipalArn"}
    assert found - known == set()


def shape(value: Any) -> Any:
    """A secret's keys, whatever ids its accounts have."""
    if not isinstance(value, dict):
        return None
    return {name: shape(one) for name, one in value.items() if name != "accounts"}


def test_the_secret_on_the_page_has_the_shape_of_one_that_works() -> None:
    (shown,) = [json.loads(one) for one in blocks(DEPLOY, "json") if "app_secrets" in one]
    assert {name: shape(one) | {} for name, one in shown.items() if name != "generic"} == {
        name: shape(one) for name, one in DEMO_SECRET.items() if name != "generic"
    }
    for name in ("meta", "x"):
        ours = {field for one in shown[name]["accounts"].values() for field in one}
        theirs = {field for one in DEMO_SECRET[name]["accounts"].values() for field in one}
        assert ours == theirs


def test_the_readme_shows_the_same_sections_of_the_secret() -> None:
    (shown,) = [json.loads(one) for one in blocks(PAGES["README.md"], "json")]
    assert shown.keys() == DEMO_SECRET.keys()


def test_the_deployer_may_touch_every_kind_of_thing_in_the_template() -> None:
    (policy,) = [json.loads(one) for one in blocks(DEPLOY, "json") if "apigateway" in one]
    actions = [one["Action"] for one in policy["Statement"]]
    flat = [a for one in actions for a in (one if isinstance(one, list) else [one])]
    assert "*" not in flat
    services = {action.partition(":")[0] for action in flat}
    called = {"serverless": "lambda", "httpapi": "apigateway"}
    needed = set()
    for one in template()["Resources"].values():
        _, service, kind = one["Type"].lower().split("::")
        needed.add(called.get(kind) or called.get(service, service))
    assert needed - services == set()


# --- security, privacy, cost ------------------------------------------------------------------


def test_every_proof_that_is_named_is_a_test() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", SECURITY))
    assert len(named) > 40
    assert {name for name in named if f"def {name}(" not in source} == set()


def test_every_threat_names_its_proof() -> None:
    section = SECURITY.split("## Who can attack what")[1].split("##")[0]
    rows = re.findall(r"^\| (?!who \||---)(.+)\|$", section, re.M)
    assert len(rows) > 12
    assert [row for row in rows if "`test_" not in row] == []


def test_what_is_said_of_roles_is_said_of_every_function() -> None:
    section = SECURITY.split("## Permissions")[1].split("##")[0]
    functions = {
        name.removesuffix("Function").lower() for name in resources("AWS::Serverless::Function")
    }
    assert set(re.findall(r"^\| (\w+) \| (?!$)", section, re.M)) - {"function"} == functions


def test_the_fixed_costs_count_what_is_in_the_template() -> None:
    alarms = re.search(r"^\| (\d+) alarms", PAGES["docs/cost.md"], re.M)
    assert alarms
    assert int(alarms[1]) == len(resources("AWS::CloudWatch::Alarm"))
    assert len(resources("AWS::CloudWatch::Dashboard")) == 1
    assert len(resources("AWS::SecretsManager::Secret")) == 1


def test_the_prices_are_those_that_are_counted() -> None:
    table = ROOT / "layers/common/firstreply/channels/x/rules.json"
    for row in json.loads(table.read_text("utf-8")):
        if row["rule"].startswith("price_"):
            assert f"| {row['value']:.3f} |" in PAGES["docs/cost.md"], row["rule"]


# --- workflows --------------------------------------------------------------------------------


def workflow(name: str) -> Any:
    return yaml.safe_load(WORKFLOWS[name])


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in workflow(name)["jobs"].values() for step in job["steps"]]


def granted(name: str) -> list[dict[str, str]]:
    whole = workflow(name)
    jobs = [job["permissions"] for job in whole["jobs"].values() if "permissions" in job]
    return [whole["permissions"], *jobs]


def test_there_is_a_check_and_a_deployment() -> None:
    assert WORKFLOWS.keys() == {"check.yml", "deploy.yml"}


@every_workflow
def test_a_workflow_calls_what_there_is(name: str) -> None:
    called = " ".join(step.get("run", "") for step in steps(name))
    assert set(re.findall(r"make (\S+)", called)) <= TARGETS
    known = json.dumps(workflow(name), default=str)
    for file in re.findall(r"python-version-file['\"]?: ['\"]?([\w.-]+)", known):
        assert (ROOT / file).is_file()
    for stage in re.findall(r"'(default|prod)'", known):
        assert f"[{stage}.deploy.parameters]" in (ROOT / "samconfig.toml").read_text("utf-8")


@every_workflow
def test_a_workflow_is_given_the_least_it_needs(name: str) -> None:
    may = {
        "check.yml": {"contents": "read"},
        "deploy.yml": {"contents": "read", "id-token": "write"},
    }
    for one in granted(name):
        assert one.items() <= may[name].items()
    assert "pull_request_target" not in WORKFLOWS[name]
    assert "secrets." not in WORKFLOWS[name]
    assert not re.search(r"run:.*\$\{\{", WORKFLOWS[name]), (
        "an expression in a shell is an injection"
    )


@every_workflow
def test_an_action_is_of_a_version(name: str) -> None:
    used = [step["uses"] for step in steps(name) if "uses" in step]
    assert used
    assert [
        one for one in used if not re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})", one)
    ] == []


def test_the_checks_of_a_change_are_those_of_a_developer() -> None:
    called = {step.get("run") for step in steps("check.yml")}
    gate = (ROOT / ".ci" / "run").read_text("utf-8")
    assert set(re.findall(r"^make \w+$", gate, re.M)) <= called


def test_a_deployment_is_protected_asks_nobody_and_is_alone() -> None:
    whole = workflow("deploy.yml")
    (job,) = whole["jobs"].values()
    assert job["environment"]
    assert whole["concurrency"]["cancel-in-progress"] is False
    (deploy,) = [one["run"] for one in job["steps"] if "sam deploy" in one.get("run", "")]
    assert {"--no-confirm-changeset", "--no-fail-on-empty-changeset"} <= set(deploy.split())
