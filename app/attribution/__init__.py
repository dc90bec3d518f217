"""Attribution: who passed the word, and what part of a sale each of them earned."""
