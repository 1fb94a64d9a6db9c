"""Background loops: one file each, with start, stop and run_once."""
