"""The implementations of `storage.database.Database`."""
