"""Facebook, Instagram and X on this machine: they deliver webhooks and take the replies."""

from local.simulator.accounts import DEMO_SECRET
from local.simulator.server import Simulator

__all__ = ["DEMO_SECRET", "Simulator"]
