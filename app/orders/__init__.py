"""Orders: sales and what takes them back, from Stripe or from anywhere by API."""
