"""Stripe's books beside ours: what webhooks missed."""
