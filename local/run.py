"""make run: the whole path on this machine, then a short script of customers, then yours."""

import argparse
import base64
import hmac
import signal
import sys
import time
from hashlib import sha256

from local.play import ANSWER, Stage, describe, open_stage, play
from local.simulator import DEMO_SECRET
from local.stack import LocalStack, LocalStackError, require_free

DEFAULT_PORT = 4566


def main() -> int:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="play the script and exit")
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help="AWS; the platforms get the next one",
    )
    options = parser.parse_args()
    for goodbye in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(goodbye, lambda number, _: sys.exit(128 + number))
    # A shell lets its background jobs ignore Ctrl-C, and they would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return _run(options.port, once=options.once)
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130


def _port(text: str) -> int:
    port = int(text)
    if not 1024 <= port <= 65534:
        raise argparse.ArgumentTypeError("must be a number from 1024 to 65534")
    return port


def _run(port: int, *, once: bool) -> int:
    started = time.monotonic()
    print("FirstReply on this machine", flush=True)
    require_free(port, port + 1)
    with open_stage(port=port, platforms_port=port + 1, say=_say) as stage:
        _say(f"ready after {time.monotonic() - started:.1f} s\n")
        all_well = play(stage, _say)
        _summary(stage, all_well=all_well)
        if not once:
            _print_invitation(stage.stack, f"http://127.0.0.1:{port + 1}")
            _follow(stage)
        return 0 if all_well else 1


def _summary(stage: Stage, *, all_well: bool) -> None:
    said = [one for one in stage.said() if one["text"] != ANSWER]  # what needed no human
    times = sorted(one["ms_after"] for one in said)
    _say(
        f"\n  {len(stage.messages())} messages, {len(said)} automatic answers. "
        f"From POST to answer: first {said[0]['ms_after']:.0f} ms (cold), "
        f"median {times[len(times) // 2]:.0f} ms, slowest {times[-1]:.0f} ms"
    )
    _say("  Everything as expected." if all_well else "  NOT everything was as expected.")


def _print_invitation(stack: LocalStack, simulator: str) -> None:
    body = '{"object":"page","entry":[]}'
    key = DEMO_SECRET["meta"]["app_secrets"][0].encode()
    signature = hmac.new(key, body.encode(), sha256).hexdigest()
    token = base64.b64encode(b"any challenge").decode()
    print(f"""
It stays up until Ctrl-C. Be a customer:

  curl {simulator}/say -d '{{"place": "facebook_comment", "text": "My bag is lost!"}}'
  curl {simulator}/say -d '{{"place": "x_mention", "text": "do you fly to Rome?"}}'
  curl {simulator}/said            # what FirstReply said
  curl {simulator}/                # all that the simulated platforms can do, faults too

Knock at the door yourself:

  curl -i {stack.api_url}/webhooks/meta -d '{body}' -H 'content-type: application/json' \\
    -H 'x-hub-signature-256: sha256={signature}'
  curl -i '{stack.api_url}/webhooks/x?crc_token={token}'

Look inside (any AWS client, any credentials; --endpoint-url {stack.endpoint}):""")
    for name, value in stack.outputs.items():
        if name not in ("ApiUrl", "DashboardUrl"):
            print(f"  {name:<30} {value}")
    print(flush=True)


def _follow(stage: Stage) -> None:
    """Show every further message once it is settled, until Ctrl-C."""
    shown = {one.message.id for one in stage.messages()}
    while True:
        for remembered in stage.messages():
            message_id = remembered.message.id
            if message_id in shown:
                continue
            shown.add(message_id)
            for text in describe(stage.settle(message_id, [])):
                _say(text)
        time.sleep(0.5)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
