"""The presets of ``RefreshEndpoint`` against real servers: over sockets in CPython, and in a browser."""
