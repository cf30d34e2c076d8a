"""Facebook and X on this machine: they deliver webhooks to FirstReply and take its replies."""

from local.simulator.accounts import DEMO_SECRET
from local.simulator.server import Simulator

__all__ = ["DEMO_SECRET", "Simulator"]
