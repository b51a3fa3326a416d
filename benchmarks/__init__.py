"""Measurements, side by side with others in one run. Never part of the tests: a clock proves nothing there."""
