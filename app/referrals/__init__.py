"""Likes, shares, their links and visits, the share tree, and the networks the word is passed on."""
