"""Whole stories on real parts: our command and server, real providers, real clients, each a process."""
