"""make show | erase | replay | redrive: what an operator does with a deployed stack."""

import argparse
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from firstreply.channels import entrances
from firstreply.errors import FirstReplyError
from firstreply.settings import now
from local import stack as this_machine
from operate.erase import erase, look
from operate.redrive import SOURCES, redrive, waiting
from operate.replay import Choice, choose, replay
from operate.show import find, show
from operate.stack import OperatorError, Stack

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def main() -> int:
    options = _parser().parse_args()
    command: Callable[[Stack, argparse.Namespace], None] = options.run
    try:
        command(_stack(options), options)
    except (OperatorError, FirstReplyError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; the same command goes on.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(
        name: str, run: Callable[[Stack, argparse.Namespace], None], help: str
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(run=run)
        which = made.add_mutually_exclusive_group()
        which.add_argument("--stack", default="firstreply-dev", help="its name")
        which.add_argument("--local", action="store_true", help="that of make run")
        made.add_argument("--port", type=int, default=4566, help="where --local listens")
        return made

    one = command("show", _show, "everything known of a conversation")
    one.add_argument("what", help="its key, an id in it, a case's id, or a delivery's key")
    gone = command("erase", _erase, "forget all that was said in a conversation")
    gone.add_argument("what", help="its key, an id in it, or a case's id")
    gone.add_argument("--yes", action="store_true", help="do not ask")
    some = command("replay", _replay, "send deliveries of the Inbox through again")
    some.add_argument("--since", type=_moment, required=True, help="2026-11-22T08:00, or 6h ago")
    some.add_argument("--until", type=_moment, help="the same; until now")
    some.add_argument("--channel", choices=sorted(entrances()))
    some.add_argument("--account", help="a Page's, profile's or user's id")
    some.add_argument("--dry-run", action="store_true", help="only say how many")
    dead = command("redrive", _redrive, "give dead letters back")
    dead.add_argument("queue", choices=sorted(SOURCES))
    dead.add_argument("--dry-run", action="store_true", help="only say how many")
    for throttled in (some, dead):
        throttled.add_argument(
            "--per-second", type=_rate, default=20.0, metavar="N", help="at most; 20"
        )
    return parser


def _stack(options: argparse.Namespace) -> Stack:
    if options.local:
        where = this_machine.where(f"http://127.0.0.1:{options.port}")
        return Stack.find(this_machine.STACK, where)
    return Stack.find(options.stack, {})


def _show(stack: Stack, options: argparse.Namespace) -> None:
    for line in show(stack, options.what):
        print(line)


def _erase(stack: Stack, options: argparse.Namespace) -> None:
    found = find(stack, options.what)
    for conversation in found:
        print(f"conversation  {conversation.key}")
    for line in look(stack, found, now()):
        print(f"  {line}", flush=True)
    if not (options.yes or _agreed("Erase this? It cannot be brought back. [yes/no] ")):
        raise OperatorError("nothing was erased")
    left = erase(stack, found, now())
    if left:
        raise OperatorError("\n".join(["erased, but for:", *left]))
    print("erased")


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() == "yes"
    except EOFError:  # nobody is there to ask
        return False


def _replay(stack: Stack, options: argparse.Namespace) -> None:
    choice = Choice(
        since=options.since,
        until=options.until or now(),
        channel=options.channel,
        account=options.account,
    )
    keys = choose(stack, choice, now())
    print(f"{len(keys)} deliveries", flush=True)
    if not options.dry_run:
        done, gone = replay(stack, keys, now(), _pause(options))
        print(f"{done} sent through again, {gone} expired meanwhile")


def _redrive(stack: Stack, options: argparse.Namespace) -> None:
    visible, hidden = waiting(stack, options.queue)
    print(f"about {visible} dead letters, {hidden} more in somebody's hands", flush=True)
    if options.dry_run:
        return
    outcome = redrive(stack, options.queue, now(), _pause(options))
    print(f"{outcome.given_back} given back")
    if outcome.left:
        raise OperatorError("\n".join(["left where they lay:", *outcome.left]))


def _pause(options: argparse.Namespace) -> Callable[[], None]:
    """classify, and everybody's new messages, are not to be flooded."""
    return lambda: time.sleep(1 / options.per_second)


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError("must be more than 0 and at most 1000")
    return rate


def _moment(text: str) -> datetime:
    """A time, UTC unless it says otherwise, or how long ago."""
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return now() - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("no time: try 2026-11-22T08:00, 90m, 6h or 2d") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
