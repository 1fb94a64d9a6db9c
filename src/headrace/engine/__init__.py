"""What executes flows and tasks: definitions, lifecycles, drivers, journal, results, caching and context.

Knows the gateway and nothing below a network or a database.
"""
