"""Ways to be sure that a node is off, or cannot write: one module per type of device, each over one adapter.

All calls block, bounded by the patience that they are given (seconds); none retries, chooses or logs. sequence.py is
what makes a power-off believed.
"""
