"""Stripe, and the only place that knows it: its amounts, its metadata, its messages, its library."""
