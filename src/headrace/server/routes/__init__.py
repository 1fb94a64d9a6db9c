"""The routes, one file per noun: each takes a request apart, asks one verb and answers with what it says."""
