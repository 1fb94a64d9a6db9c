"""Both protocols of the gateway over storage: a use case is a function of one transaction."""
