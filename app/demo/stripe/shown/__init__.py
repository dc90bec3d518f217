"""Objects as Stripe's API shows them."""
