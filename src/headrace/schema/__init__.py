"""Wire types, one file per resource: the one definition of each concept, shared by SDK, client, server and UI.

Field names are the contract's. Times are aware datetimes on the wire; facts, which are the journal's own form and
never leave Headrace's own processes, carry microseconds.
"""
