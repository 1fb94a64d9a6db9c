"""PostgreSQL: one server, any number of machines. Needs the extra `postgres`."""
