"""Blocks: typed values with a name, kept for many flows. `headrace.blocks.core` says what one is."""
