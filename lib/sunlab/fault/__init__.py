"""Faults of a lab node: what fmd(8) knows, injected ones and services in maintenance."""
