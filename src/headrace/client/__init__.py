"""Both gateway protocols over HTTP: the orchestrator is a server, and this process asks it."""
