"""The house rules of template.yaml, and the stack's face that others rely on."""

import json
import re
from typing import Any

import pytest

from firstreply.channels import channel, names
from functions.respond.app import LAST_TRY
from tests.template.cfn import ROOT, logical_id, resources, template, text, with_parameters

FUNCTIONS = resources("AWS::Serverless::Function")
QUEUES = resources("AWS::SQS::Queue")
TABLES = resources("AWS::DynamoDB::Table")
ROLES = resources("AWS::IAM::Role")
ALARMS = resources("AWS::CloudWatch::Alarm")


# With every optional back end.
ALL_ON = {"BedrockModelId": "eu.amazon.nova-lite-v1:0", "ComprehendSentiment": "on"}


def statements(role: dict[str, Any], **parameters: str) -> list[dict[str, Any]]:
    """What a role may do in a stack with these parameters."""
    (policy,) = role["Policies"]
    found: list[dict[str, Any]] = with_parameters(
        policy["PolicyDocument"]["Statement"], **parameters
    )
    return found


def sources(function: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["Properties"] for e in function["Events"].values() if e["Type"] == kind]


def test_the_face_is_what_was_promised() -> None:
    face = template()
    assert set(face["Parameters"]) >= {
        "Stage",
        "Architecture",
        "GraphApiUrl",
        "XApiUrl",
        "AutoReply",
        "AlarmEmail",
        "LogLevel",
        "LogRetentionDays",
    }
    assert set(face["Outputs"]) >= {
        "ApiUrl",
        "EscalationQueueUrl",
        "ReplyQueueUrl",
        "InboxTable",
        "ConversationsTable",
        "SecretArn",
        "DashboardUrl",
    }
    assert face["Parameters"]["Architecture"]["Default"] == "arm64"
    assert face["Parameters"]["GraphApiUrl"]["Default"] == "https://graph.facebook.com"
    assert face["Parameters"]["XApiUrl"]["Default"] == "https://api.x.com"
    routes = {
        (route["Method"], route["Path"])
        for function in FUNCTIONS.values()
        for route in sources(function, "HttpApi")
    }
    assert routes == {("GET", "/webhooks/{channel}"), ("POST", "/webhooks/{channel}")}


def test_every_dead_letter_queue_is_in_the_outputs() -> None:
    shown = {logical_id(output["Value"]) for output in template()["Outputs"].values()}
    assert {name for name in QUEUES if "DeadLetter" in name} <= shown


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_lies_where_its_handler_says(name: str) -> None:
    function = FUNCTIONS[name]
    verb = name.removesuffix("Function").lower()
    assert function["CodeUri"] == f"functions/{verb}/"
    assert function["Handler"] == f"functions.{verb}.app.handler"
    assert (ROOT / "functions" / verb / "app.py").is_file()
    metadata = template()["Resources"][name]["Metadata"]
    assert metadata["BuildProperties"]["ParentPackageMode"] == "auto"


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_has_its_own_role_log_group_and_time_limit(name: str) -> None:
    function, verb = FUNCTIONS[name], name.removesuffix("Function")
    assert logical_id(function["Role"]) == f"{verb}Role"
    assert logical_id(function["LoggingConfig"]["LogGroup"]) == f"{verb}LogGroup"
    assert function["LoggingConfig"]["SystemLogLevel"] == "WARN", "each start and end is paid for"
    assert 3 < function["Timeout"] <= 120


def test_every_log_group_forgets() -> None:
    groups = resources("AWS::Logs::LogGroup")
    assert len(groups) == len(FUNCTIONS) + 1
    assert all(logical_id(g["RetentionInDays"]) == "LogRetentionDays" for g in groups.values())


def test_the_settings_that_code_reads_are_those_that_the_template_sets() -> None:
    shared = "\n".join(p.read_text() for p in (ROOT / "layers/common/firstreply").rglob("*.py"))
    assert not re.findall(r'(?:setting|number)\("([A-Z_]+)"\)', shared)
    for name, function in FUNCTIONS.items():
        verb = name.removesuffix("Function").lower()
        code = (ROOT / "functions" / verb / "app.py").read_text()
        read = set(re.findall(r'(?:setting|number)\("([A-Z_]+)"\)', code))
        if "setting=setting" in code:
            read |= {one for n in names() if (named := channel(n)) for one in named.SETTINGS}
        given = set(function["Environment"]["Variables"]) - {"POWERTOOLS_SERVICE_NAME"}
        assert read == given, name


def test_every_queue_that_is_worked_on_has_a_dead_letter_queue_of_its_kind() -> None:
    for name, queue in QUEUES.items():
        if "DeadLetter" in name:
            continue
        dead = logical_id(queue["RedrivePolicy"]["deadLetterTargetArn"])
        assert dead == name.replace("Queue", "DeadLetterQueue")
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
        assert QUEUES[dead].get("FifoQueue") == queue.get("FifoQueue")


def test_every_dead_letter_queue_raises_an_alarm_at_its_first_message() -> None:
    watched = {
        logical_id(alarm["Dimensions"][0]["Value"])
        for alarm in ALARMS.values()
        if alarm.get("Namespace") == "AWS/SQS"
        and alarm["Threshold"] == 0
        and alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    }
    assert {name for name in QUEUES if "DeadLetter" in name} <= watched


def test_every_queue_is_encrypted_and_keeps_for_a_fortnight() -> None:
    for queue in QUEUES.values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_a_message_stays_hidden_six_times_as_long_as_its_function_may_run() -> None:
    for function in FUNCTIONS.values():
        for source in sources(function, "SQS"):
            queue = QUEUES[logical_id(source["Queue"])]
            assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_a_human_takes_over_before_a_reply_is_a_dead_letter() -> None:
    assert QUEUES["ReplyQueue"]["RedrivePolicy"]["maxReceiveCount"] > LAST_TRY


def test_every_batch_reports_the_records_that_failed() -> None:
    for function in FUNCTIONS.values():
        for source in (*sources(function, "SQS"), *sources(function, "DynamoDB")):
            assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_stream_gives_up_on_a_record_and_says_so() -> None:
    ((source,),) = [s for f in FUNCTIONS.values() if (s := sources(f, "DynamoDB"))]
    assert source["MaximumRecordAgeInSeconds"] < 24 * 3600, "then the stream has lost it"
    assert source["BisectBatchOnFunctionError"] is True
    on_failure = source["DestinationConfig"]["OnFailure"]["Destination"]
    assert logical_id(on_failure) == "InboxDeadLetterQueue"


def test_every_table_forgets_can_be_restored_and_is_encrypted() -> None:
    for name, table in TABLES.items():
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert table["SSESpecification"]["SSEEnabled"] is True
        assert template()["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"


@pytest.mark.parametrize("parameters", [{}, ALL_ON], ids=["off", "on"])
def test_no_permission_is_for_everything(parameters: dict[str, str]) -> None:
    """X-Ray and Comprehend alone know no resources."""
    for name, role in ROLES.items():
        assert "ManagedPolicyArns" not in role
        for statement in statements(role, **parameters):
            assert not any("*" in action for action in statement["Action"]), name
            if statement["Resource"] == "*":
                services = {action.split(":")[0] for action in statement["Action"]}
                assert services in ({"xray"}, {"comprehend"}), name


BEDROCK = "arn:aws:bedrock:eu-central-1"
PROFILE = f"{BEDROCK}:123456789012:application-inference-profile/abc"


@pytest.mark.parametrize(
    ("model_id", "may_use"),
    [
        ("m.n-v1:0", f"{BEDROCK}::foundation-model/m.n-v1:0"),
        ("eu.m.n-v1:0", f"{BEDROCK}:123456789012:inference-profile/eu.m.n-v1:0"),
        (PROFILE, PROFILE),
        (f"{BEDROCK}::foundation-model/m.n-v1:0", f"{BEDROCK}::foundation-model/m.n-v1:0"),
    ],
)
def test_classify_may_use_the_one_model_that_the_stack_names(model_id: str, may_use: str) -> None:
    assert re.fullmatch(template()["Parameters"]["BedrockModelId"]["AllowedPattern"], model_id)
    stack = {
        "BedrockModelId": model_id,
        "AWS::Partition": "aws",
        "AWS::Region": "eu-central-1",
        "AWS::AccountId": "123456789012",
    }
    itself, through = (
        statement
        for statement in statements(ROLES["ClassifyRole"], **stack)
        if statement["Action"] == ["bedrock:InvokeModel"]
    )
    arns = text(itself["Resource"], **stack)
    assert may_use in arns
    assert not any("*" in arn for arn in arns)
    assert "Condition" not in itself
    # What a profile leads to, wherever that is.
    assert text(through["Resource"], **stack) == "arn:aws:bedrock:*::foundation-model/*"
    ((operator, keys),) = through["Condition"].items()
    assert operator == "ArnEquals"
    assert text(keys["bedrock:InferenceProfileArn"], **stack) == arns


@pytest.mark.parametrize("wrong", ["nova", "*", "eu.amazon.*", "arn:aws:s3:::b", "a.b/c", "a.b "])
def test_a_model_s_id_is_checked_before_it_is_in_a_policy(wrong: str) -> None:
    pattern = template()["Parameters"]["BedrockModelId"]["AllowedPattern"]
    assert not re.fullmatch(pattern, wrong)
    assert re.fullmatch(pattern, "")


def test_nothing_leaves_for_a_back_end_unless_it_is_switched_on() -> None:
    defaults = {name: template()["Parameters"][name]["Default"] for name in ALL_ON}
    assert defaults == {"BedrockModelId": "", "ComprehendSentiment": "off"}
    for only, parameters in (
        (set(), {}),
        ({"bedrock"}, {"BedrockModelId": ALL_ON["BedrockModelId"]}),
        ({"comprehend"}, {"ComprehendSentiment": "on"}),
    ):
        for name, role in ROLES.items():
            actions = [one for s in statements(role, **parameters) for one in s["Action"]]
            asked = {one.split(":")[0] for one in actions} & {"bedrock", "comprehend"}
            assert asked == (only if name == "ClassifyRole" else set())


def test_no_secret_is_written_down() -> None:
    ((_, secret),) = resources("AWS::SecretsManager::Secret").items()
    assert secret["SecretString"] == "{}"


def test_only_who_speaks_for_the_brand_carries_its_words() -> None:
    carries = {
        name: [layer["Ref"] for layer in function["Layers"]] for name, function in FUNCTIONS.items()
    }
    assert carries["WebhookFunction"] == carries["EscalateFunction"] == ["CommonLayer"]
    assert (
        carries["ClassifyFunction"] == carries["RespondFunction"] == ["CommonLayer", "BrandLayer"]
    )


def test_classify_alone_carries_libraries_of_its_own() -> None:
    """Everything else that a function needs is in the layer, and starts fast."""
    carrying = {path.parent.name for path in ROOT.glob("functions/*/requirements.txt")}
    assert carrying == {"classify"}


def test_classify_has_a_whole_processor_to_load_its_models_with() -> None:
    assert FUNCTIONS["ClassifyFunction"]["MemorySize"] >= 1769


# --- who may come in ------------------------------------------------------------------------------


def test_nothing_is_public_but_the_two_routes_of_the_door() -> None:
    kinds = {one["Type"] for one in template()["Resources"].values()}
    assert not {one for one in kinds if one.endswith(("Policy", "Url", "Permission", "Bucket"))}
    for function in FUNCTIONS.values():
        assert "FunctionUrlConfig" not in function
    for role in ROLES.values():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    (api,) = resources("AWS::Serverless::HttpApi").values()
    assert api["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert "queryString" not in api["AccessLogSettings"]["Format"]


def test_the_log_level_never_drops_the_metrics() -> None:
    """Lambda takes a line without a level, such as a metric, for INFO.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html"""
    assert set(template()["Parameters"]["LogLevel"]["AllowedValues"]) <= {"DEBUG", "INFO"}


# --- watching -------------------------------------------------------------------------------------

QUEUE = {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
# What AWS counts of its own accord, by what.
AWS_METRICS = {
    "AWS/SQS": ("QueueName", QUEUE),
    "AWS/Lambda": ("FunctionName", {"Errors", "Throttles", "Duration", "IteratorAge"}),
    "AWS/ApiGateway": ("ApiId", {"5xx"}),
}
RUNBOOK = (ROOT / "docs/runbook.md").read_text("utf-8")


def documented_metrics() -> dict[str, set[str]]:
    """docs/metrics.md: what each is counted by besides the whole stack."""
    table = (ROOT / "docs/metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[A-Z].*?`) \| \w+ \| (.*?) ?\| .+ \|$", table, re.MULTILINE)
    return {
        name: set(re.findall(r"`(\w+)`", by))
        for names_, by in rows
        for name in re.findall(r"`(\w+)`", names_)
    }


def watched(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics of an alarm."""
    more = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", ()) if "MetricStat" in one]
    return more or [alarm]


def require_metric(namespace: Any, name: str, dimensions: set[str]) -> None:
    if isinstance(namespace, str):
        dimension, known = AWS_METRICS[namespace]
        assert name in known
        assert dimensions == {dimension}
        return
    assert text(namespace, **{"AWS::StackName": "s"}) == "FirstReply/s"
    assert dimensions - {"service"} <= documented_metrics()[name]
    assert "service" in dimensions
    assert len(dimensions) <= 2


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_tells_somebody_what_to_do(name: str) -> None:
    alarm = ALARMS[name]
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert alarm["TreatMissingData"] == ("breaching" if name == "QuietAlarm" else "notBreaching")
    what, _, anchor = alarm["AlarmDescription"].partition(" docs/runbook.md#")
    assert " First, " in what
    sections = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-"): section
        for title, section in re.findall(r"^#+ (.+)\n((?:(?!#).*\n?)*)", RUNBOOK, re.MULTILINE)
    }
    assert f"`{name}`" in sections[anchor]
    for metric in watched(alarm):
        dimensions = {one["Name"] for one in metric["Dimensions"]}
        require_metric(metric["Namespace"], metric["MetricName"], dimensions)


def test_the_runbook_knows_no_alarm_that_there_is_not() -> None:
    assert set(re.findall(r"`(\w+Alarm)`", RUNBOOK)) == ALARMS.keys()


def test_what_alarms_watch_is_what_has_to_be_watched() -> None:
    seen = {
        (metric["MetricName"], logical_id(value) if isinstance(value, dict) else value)
        for alarm in ALARMS.values()
        for metric in watched(alarm)
        for value in [metric["Dimensions"][-1]["Value"]]
    }
    for name in QUEUES:
        if "DeadLetter" in name:
            assert ("ApproximateNumberOfMessagesVisible", name) in seen
        elif name != "FetchQueue":  # it waits for a platform's limit; what fails is a dead letter
            assert ("ApproximateAgeOfOldestMessage", name) in seen
    for name in FUNCTIONS:
        assert {("Errors", name), ("Throttles", name)} <= seen
    assert {("IteratorAge", "ClassifyFunction"), ("5xx", "Api")} <= seen
    ours = {"AccountDead", "ReplyUnknown", "SignatureRejected", "Received"}
    assert {(name, "firstreply") for name in ours} <= seen
    assert {("Classified", "complaint"), ("HumanAnswerSeconds", "open")} <= seen


@pytest.mark.parametrize(
    ("alarm", "parameter"),
    [
        ("QuietAlarm", "QuietHours"),
        ("HumanAnswerAlarm", "HumanAnswerSeconds"),
        ("ComplaintSurgeAlarm", "SurgeWidth"),
    ],
)
def test_an_alarm_that_depends_on_the_brand_can_be_switched_off(alarm: str, parameter: str) -> None:
    condition = template()["Conditions"][template()["Resources"][alarm]["Condition"]]
    assert condition == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, 0]}]}
    assert parameter in str(ALARMS[alarm])
    assert template()["Parameters"][parameter]["MinValue"] == 0
    # An alarm sees seven days at most.
    assert template()["Parameters"]["QuietHours"]["MaxValue"] * 3600 <= 604_800


def test_the_dashboard_shows_what_there_is() -> None:
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    body = dashboard["DashboardBody"]["Fn::Sub"]
    named = set(re.findall(r"\${(\w+)[.}]", body))
    assert named <= template()["Resources"].keys() | template()["Parameters"].keys()
    widgets = json.loads(re.sub(r"\${([^}]+)}", r"<\1>", body))["widgets"]
    places = {(one["x"], one["y"]) for one in widgets}
    assert len(places) == len(widgets)
    assert all(one["x"] + one["width"] <= 24 for one in widgets)
    shown = set()
    for one in widgets:
        for metric in one["properties"].get("metrics", ()):
            match metric:
                case [{"expression": str(expression)}]:
                    for namespace, by, name in re.findall(
                        r'{"(.+?)",([\w,]+)} MetricName="(\w+)"', expression
                    ):
                        require_metric({"Fn::Sub": unfilled(namespace)}, name, set(by.split(",")))
                        shown.add(name)
                case [namespace, name, *rest]:
                    pairs = [part for part in rest if isinstance(part, str)]
                    ours = namespace not in AWS_METRICS
                    where = {"Fn::Sub": unfilled(namespace)} if ours else namespace
                    require_metric(where, name, set(pairs[::2]))
                    shown.add(name)
    first_row = [one["properties"]["title"] for one in widgets if one["y"] == 0]
    assert any("human" in title for title in first_row)
    assert {metric for _, known in AWS_METRICS.values() for metric in known} <= shown


def unfilled(namespace: str) -> str:
    return namespace.replace("<", "${").replace(">", "}")
