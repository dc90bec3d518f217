"""Relays in a process of their own, which a test may kill: `python -m tests.db.relaying <database>`."""

import sys
import time

from app.kernel.database import Database
from app.kernel.feed import FEED
from app.kernel.feed_relay import Relay
from app.kernel.journal import JOURNAL
from tests.clock import TestClock

if __name__ == "__main__":
    database = Database(sys.argv[1])
    relays = [Relay(database, TestClock(), of=numbered) for numbered in (FEED, JOURNAL)]
    print("ready", flush=True)
    while True:
        for relay in relays:
            relay.place_all()
        time.sleep(0.001)
