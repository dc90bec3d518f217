"""What is dropped when its time is over, kind of fact by kind of fact (docs/privacy.md, How long it is kept).

Each job goes some rows at a time, may be broken off anywhere, and goes on the next time with what it finds. What others
reckon with is announced before it is dropped: `merchants.visits_kept_from`, and `gone` of `merchants.retention`. It is
dropped by the next run, so that nobody who began before is surprised.
"""
