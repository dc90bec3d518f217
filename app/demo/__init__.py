"""The demonstration shop, and the double of Stripe that it and the tests use."""
