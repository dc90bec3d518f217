"""The widget's own files: packed, minified, immutable under a hash, kept beyond an upgrade."""
