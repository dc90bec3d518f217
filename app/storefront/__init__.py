"""What a shopper meets: payloads of widgets, hosted pages, referral links, and the widget's own files."""
