"""Runners: where the code of served flows comes from is in `storage`."""
