"""Real servers, and the presets of ``RefreshEndpoint`` against them: over sockets in CPython, and in a browser."""
