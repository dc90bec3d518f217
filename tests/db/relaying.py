"""A relay in a process of its own, which a test may kill: `python -m tests.db.relaying <database>`."""

import sys
import time

from app.kernel.database import Database
from app.kernel.feed_relay import Relay
from tests.clock import TestClock

if __name__ == "__main__":
    database = Database(sys.argv[1])
    relay = Relay(database, TestClock())
    print("ready", flush=True)
    while True:
        relay.place_all()
        time.sleep(0.001)
