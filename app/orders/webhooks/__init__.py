"""Stripe's messages, and what they do to the books."""
