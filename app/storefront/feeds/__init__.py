"""Atom and JSON Feed of a wall."""
