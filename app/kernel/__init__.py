"""What any domain stands on, and which knows no domain."""
