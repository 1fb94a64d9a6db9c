"""From a claimed run and its deployment to all that must be known to execute it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from headrace.base.errors import ConfigurationError
from headrace.base.settings import load_settings
from headrace.gateway.administration import Administration
from headrace.projects.blocks import BlockReader
from headrace.projects.placeholders import Known
from headrace.projects.variables import VariableReader
from headrace.schema.deployment import Deployment
from headrace.schema.orchestration import Claim
from headrace.workers.charge import Charge

GRACE = 30.0
"""Seconds that a run which is to end has for it, unless its deployment says."""

SET_DIRECTORY = "headrace.deployments.steps.set_working_directory"


class JobVariables(Struct):
    """The job variables that a process pool knows; others are other kinds' and are passed over."""

    env: dict[str, str | int | float | bool | None] | None = field(default=None)
    working_dir: str | None = None
    grace_seconds: Annotated[float, Meta(ge=0)] | None = None


def draw_up(claim: Claim, administration: Administration, environ: Mapping[str, str]) -> Charge:
    """All that is to be known of a run to execute it in a process here.

    Raises `ObjectNotFound` when the deployment is gone, `ConfigurationError` when it does not say enough or what cannot be.
    """
    run = claim.flow_run
    if run.deployment_id is None:
        raise ConfigurationError("it belongs to no deployment, so nobody knows what it is to execute.")
    deployment = administration.read_deployment(run.deployment_id)
    if not deployment.entrypoint:
        raise ConfigurationError(f"deployment {deployment.name!r} has no entrypoint: deploy it anew.")
    wanted = {**deployment.job_variables, **(run.job_variables or {})}
    known = Known(
        variables=VariableReader(lambda: administration), blocks=BlockReader(lambda: administration), strict=False
    )
    job = read_job_variables(known.fill_in(wanted))
    environ = {**environ, **{name: str(value) for name, value in (job.env or {}).items() if value is not None}}
    load_settings(environ)  # what cannot be used is said here, by somebody who is heard
    return Charge(
        claim=claim,
        deployment_name=deployment.name,
        entrypoint=deployment.entrypoint,
        pull_steps=list_pull_steps(deployment),
        environ=environ,
        folder=tempfile.mkdtemp(prefix="headrace-run-"),
        working_dir=job.working_dir or None,
        grace=GRACE if job.grace_seconds is None else job.grace_seconds,
    )


def read_job_variables(wanted: Mapping[str, Any]) -> JobVariables:
    """The job variables, checked. Raises `ConfigurationError` naming the one that cannot be."""
    try:
        return msgspec.convert(wanted, JobVariables)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"a job variable cannot be used: {error}.") from None


def list_pull_steps(deployment: Deployment) -> list[dict[str, Any]]:
    """The steps that bring a deployment's code; what older clients call its path is where the code is."""
    if deployment.pull_steps or not deployment.path:
        return deployment.pull_steps or []
    return [{SET_DIRECTORY: {"directory": deployment.path}}]
