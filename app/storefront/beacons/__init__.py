"""Beacons: what widgets saw and what was opened in them, many at once, from any page, while it is being left."""
