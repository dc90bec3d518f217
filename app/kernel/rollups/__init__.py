"""Counting what happens, so that a report costs what it shows and not what happened.

`appending` is called in the transaction of the facts, `folding` adds up what was appended, `reading` answers from both.
Knows no domain: what is counted, and under which names, is the caller's.
"""
