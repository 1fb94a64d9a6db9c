"""Everything that leaves: what is asked of other machines and programs, with nothing of it taken on trust."""
