"""The stream of a wall: likes, shares and new cards as they come."""
