"""The contract's routes, noun by noun."""
