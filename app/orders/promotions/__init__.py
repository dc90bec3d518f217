"""Promotion codes: Stripe's, and for whom they speak."""
