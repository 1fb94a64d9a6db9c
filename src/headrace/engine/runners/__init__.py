"""The task runners that need nothing else: threads and processes. The contract is `engine/runner.py`."""
