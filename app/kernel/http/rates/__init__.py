"""How often one may write, and guess: by key, visitor and network block (api.md, Limits).

Reading a widget and following a link that exists are never counted. Whom something is counted against is kept only as
a keyed hash, for as long as it is counted.
"""
