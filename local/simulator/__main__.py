"""python -m local.simulator: the demo accounts, until SIGTERM or Ctrl-C."""

import argparse
import errno
import signal
import sys

from local.simulator import DEMO_SECRET, Simulator


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.simulator")
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free port")
    parser.add_argument("--webhooks", help="where to deliver, as http://127.0.0.1:4566/webhooks")
    options = parser.parse_args()
    # Before any thread starts, so that all of them leave the signals to sigwait.
    goodbyes = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, goodbyes)
    try:
        with Simulator(DEMO_SECRET, options.port) as simulator:
            if options.webhooks:
                simulator.connect(options.webhooks)
            print(f"Facebook and X at {simulator.url} (how: curl {simulator.url}/)", flush=True)
            signal.sigwait(goodbyes)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(f"Port {options.port} is busy: choose another with --port", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
