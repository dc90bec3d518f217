"""Checkouts: what is wanted, reserved and asked of Stripe."""
