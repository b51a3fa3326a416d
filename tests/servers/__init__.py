"""Real servers, started for the tests on free loopback ports and ended by their process id.

Each launcher is a context manager that gives a running server with its address and a way to act on it as
"somebody at the provider" (``dav.Outside``). A server that cannot be started fails the test: none is skipped.
"""
