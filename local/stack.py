"""FirstReply's own template, built by SAM and deployed to MiniStack on this machine.

No Docker, no AWS account: every tool it starts sees only the addresses of this machine.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBServiceResource
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).parent.parent
WORK = ROOT / ".local"
STACK = "firstreply-local"
REGION = "us-east-1"
ACCOUNT = "000000000000"
ARCHITECTURE = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

type Say = Callable[[str], None]


class LocalStackError(Exception):
    """Something on this machine is in the way; says what, and where to look."""


@dataclass(frozen=True)
class LocalStack:
    """The deployed stack: its outputs, the API's address here, and clients for its AWS, each made
    once: whoever waits for something asks ten times a second."""

    outputs: Mapping[str, str]
    api_url: str
    endpoint: str

    @cached_property
    def sqs(self) -> SQSClient:
        return boto3.client("sqs", **where(self.endpoint))

    @cached_property
    def dynamodb(self) -> DynamoDBServiceResource:
        return boto3.resource("dynamodb", **where(self.endpoint))

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        return boto3.client("secretsmanager", **where(self.endpoint))

    def peek(self, output: str) -> list[dict[str, Any]]:
        """The JSON bodies that lie in a queue, oldest first; nothing of it is received."""
        url = self.outputs[output]
        answer = httpx.get(f"{self.endpoint}/_ministack/sqs/messages", params={"QueueUrl": url})
        queues = answer.raise_for_status().json()["messages"][ACCOUNT][REGION]
        return [json.loads(message["Body"]) for message in queues[url]]


@contextmanager
def local_stack(
    *, port: int, secret: Mapping[str, Any], platforms: str, say: Say
) -> Iterator[LocalStack]:
    """Build, start, deploy, open the door, seed the secret; take everything down at the end."""
    WORK.mkdir(exist_ok=True)
    # A company's proxy has no business here, neither with ours nor with the tools' calls.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    endpoint = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="firstreply-") as scratch:
        with _step(say, "sam build"):
            _build(scratch)
        with _ministack(port, scratch) as is_up:
            with _step(say, f"MiniStack on port {port}"):
                is_up()
            with _step(say, "sam deploy"):
                _deploy(scratch, endpoint, platforms)
            with _step(say, "routes and secret"):
                stack = _connect(endpoint)
                stack.secrets.put_secret_value(
                    SecretId=stack.outputs["SecretArn"], SecretString=json.dumps(secret)
                )
            yield stack


# --- SAM ----------------------------------------------------------------------------------------


def _build(scratch: str) -> None:
    """For this machine's processor, and beside .aws-sam, which is for AWS. What an interrupted
    build left behind looks finished to the next one, so it is thrown away."""
    is_whole = WORK / "build-is-whole"
    if not is_whole.exists():
        for left in (WORK / "build", WORK / "cache", WORK / "build.toml"):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(True)
    is_whole.unlink(missing_ok=True)
    _sam(
        "build",
        scratch,
        *("--build-dir", f"{WORK / 'build'}", "--cache-dir", f"{WORK / 'cache'}", "--cached"),
        *("--parameter-overrides", f"Architecture={_architecture()}"),
    )
    command = [sys.executable, "-m", "local.compiled", f"{WORK / 'build'}"]
    subprocess.run(command, cwd=ROOT, check=True)
    is_whole.touch()


def _deploy(scratch: str, endpoint: str, platforms: str) -> None:
    parameters = {
        "Stage": "local",
        "Architecture": _architecture(),
        "GraphApiUrl": f"{platforms}/graph",
        "InstagramApiUrl": f"{platforms}/instagram",
        "XApiUrl": f"{platforms}/x",
    }
    _sam(
        "deploy",
        scratch,
        *("--stack-name", STACK, "--template-file", f"{WORK / 'build' / 'template.yaml'}"),
        *("--parameter-overrides", " ".join(f"{k}={v}" for k, v in parameters.items())),
        endpoint=endpoint,
    )


def _sam(command: str, scratch: str, *options: str, endpoint: str | None = None) -> None:
    """Its temporary folders go where they are removed; it leaves some behind."""
    log = WORK / f"sam-{command}.log"
    with log.open("w") as output:
        done = subprocess.run(
            [_tool("sam"), command, "--config-file", f"{ROOT / 'samconfig.toml'}", *options],
            cwd=ROOT,
            env=_environment(endpoint) | {"TMPDIR": scratch},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise LocalStackError(f"sam {command} failed:\n{_tail(log)}")


def _environment(endpoint: str | None) -> dict[str, str]:
    """Without the user's AWS account: nothing here may ever reach it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint or "http://127.0.0.1:9",
        "SAM_CLI_TELEMETRY": "0",
    }


def _architecture() -> str:
    machine = platform.machine().lower()
    if machine not in ARCHITECTURE:
        raise LocalStackError(f"Lambda knows no processor like this machine's ({machine})")
    return ARCHITECTURE[machine]


def _tool(name: str) -> str:
    environment = "sam" if name == "sam" else "ministack"
    return str(ROOT / ".venv" / environment / "bin" / name)


# --- MiniStack ----------------------------------------------------------------------------------


@contextmanager
def _ministack(port: int, scratch: str) -> Iterator[Callable[[], None]]:
    """Runs it, in a process group of its own so that its workers end with it. What it yields
    returns when it is up."""
    log = WORK / "ministack.log"
    environment = _environment(f"http://127.0.0.1:{port}") | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",  # else a port on all interfaces
        "TMPDIR": scratch,
        "STATE_DIR": f"{scratch}/state",
        "S3_DATA_DIR": f"{scratch}/s3",
    }
    process: subprocess.Popen[bytes] | None = None
    try:
        with log.open("w") as output:
            process = subprocess.Popen(
                [_tool("ministack")],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = process
        yield lambda: _wait_for(started, port, log)
    finally:
        if process is not None:
            _stop(process)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LocalStackError(f"MiniStack ended at once:\n{_tail(log)}")
        try:
            httpx.get(f"http://127.0.0.1:{port}/_ministack/health", timeout=2).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise LocalStackError(f"MiniStack did not answer within a minute:\n{_tail(log)}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, then make it; an impatient second Ctrl-C makes it at once."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(5)
    except (subprocess.TimeoutExpired, ProcessLookupError):
        pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def require_free(*ports: int) -> None:
    """LocalStackError if somebody listens on one of them."""
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise LocalStackError(
                    f'Port {port} is busy. Choose another: make run ARGS="--port {port + 100}"'
                ) from error


# --- what MiniStack leaves to do ------------------------------------------------------------------


def _connect(endpoint: str) -> LocalStack:
    """The outputs, and the routes that MiniStack does not make from an HTTP API's OpenAPI body."""
    cloudformation: CloudFormationClient = boto3.client("cloudformation", **where(endpoint))
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    template: Any = cloudformation.get_template(StackName=STACK, TemplateStage="Processed")
    body = template["TemplateBody"]
    resources = (json.loads(body) if isinstance(body, str) else body)["Resources"]
    api = next(n for n, r in resources.items() if r["Type"] == "AWS::ApiGatewayV2::Api")
    summaries = cloudformation.list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in summaries}
    _open_routes(endpoint, ids, ids[api], resources[api]["Properties"]["Body"]["paths"])
    return LocalStack(
        outputs=outputs, api_url=f"{endpoint}/_aws/execute-api/{ids[api]}", endpoint=endpoint
    )


def _open_routes(
    endpoint: str, ids: Mapping[str, str], api: str, paths: Mapping[str, Mapping[str, Any]]
) -> None:
    gateway: ApiGatewayV2Client = boto3.client("apigatewayv2", **where(endpoint))
    for path, methods in paths.items():
        for method, operation in methods.items():
            integration = operation["x-amazon-apigateway-integration"]
            function = re.search(r"\$\{(\w+)\.Arn\}", json.dumps(integration["uri"]))
            if function is None:
                raise LocalStackError(f"cannot tell which function answers {method} {path}")
            made = gateway.create_integration(
                ApiId=api,
                IntegrationType="AWS_PROXY",
                IntegrationUri=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{ids[function[1]]}",
                PayloadFormatVersion=integration["payloadFormatVersion"],
            )
            gateway.create_route(
                ApiId=api,
                RouteKey=f"{method.upper()} {path}",
                Target=f"integrations/{made['IntegrationId']}",
            )


def where(endpoint: str) -> Any:  # noqa: ANN401
    return {
        "endpoint_url": endpoint,
        "region_name": REGION,
        "aws_access_key_id": ACCOUNT,
        "aws_secret_access_key": "local",
    }


@contextmanager
def _step(say: Say, what: str) -> Iterator[None]:
    started = time.monotonic()
    say(f"  {what} …")
    yield
    say(f"  {what}: {time.monotonic() - started:.1f} s")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-25:])
