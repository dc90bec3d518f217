"""Hosted pages, complete without JavaScript, and friendly pages for every "no"."""
