"""Walls: ordered, themed collections of cards that can be embedded."""
