"""Pure decisions: what may happen next, and what follows from it. No I/O, no clock: everything needed is handed in."""
