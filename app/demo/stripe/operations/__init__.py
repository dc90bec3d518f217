"""The operations of Stripe's API that are simulated."""
