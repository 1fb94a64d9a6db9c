"""Deployments from code: made, served, and run.

`deploy` makes deployments whose runs workers execute, `serve` executes them in this process; both take what
`flow.to_deployment` returns. `run_deployment` asks for a run of one that there is.
"""

from headrace.deployments.making import ConcurrencyLimitConfig, EntrypointType, deploy
from headrace.deployments.running import arun_deployment, run_deployment
from headrace.deployments.serving import aserve, serve

__all__ = [
    "ConcurrencyLimitConfig", "EntrypointType", "arun_deployment", "aserve", "deploy", "run_deployment", "serve",
]  # fmt: skip
