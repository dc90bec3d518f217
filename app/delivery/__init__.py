"""What leaves by itself: the feed of all facts, signed webhooks, exports."""
