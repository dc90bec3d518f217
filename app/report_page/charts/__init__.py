"""Drawings of figures: where each line, bar and letter stands. Pure; templates make them SVG."""
