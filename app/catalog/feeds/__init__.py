"""Readers of catalogue files: each turns one format into feed products and row errors, and knows no database."""
