"""The ground floor: clock, ids, names, errors and the settings value. Imports nothing of ours."""
