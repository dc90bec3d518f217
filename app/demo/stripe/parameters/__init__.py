"""What a request may say: Stripe's document, or the smaller list that is built in."""
