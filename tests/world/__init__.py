"""A small world for the engine: a loop with virtual time, a server with token families, a browser with tabs.

Everything is in one process and in one order, so a test takes milliseconds and fails the same way twice.
"""
