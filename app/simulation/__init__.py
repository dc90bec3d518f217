"""Worlds that never were: merchants, sharers, cascades, buyers and machines, made by a seed, their true figures known.

What tests and benchmarks of reports stand on (docs/simulation.md). Only the command line and tests import it. The pure
part (`life` and what it stands on) decides what happens and knows no database; `making` writes it in the form in which
the live code does; `truth` adds up what was decided.
"""
