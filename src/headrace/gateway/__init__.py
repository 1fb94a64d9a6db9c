"""The two protocols through which everything asks the orchestrator: execution for engines and workers, administration
for everyone who looks and manages. Both have two implementations: `orchestration` over storage, `client` over HTTP.
"""
