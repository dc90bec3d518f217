"""What protects people: visitor tokens and the signals by which a browser says no."""
