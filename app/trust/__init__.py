"""What makes a touch or an order doubtful, what a merchant wants done about it, and what they decided."""
