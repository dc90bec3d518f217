"""What the double holds. Pure."""
