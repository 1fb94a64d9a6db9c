"""Whether parameters are what a deployment's runs take, where the deployment has that enforced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.rules.arguments import check_arguments, check_some_arguments
from headrace.schema.wire import decode_json
from headrace.storage.deployment_rows import DeploymentRow


def check_parameters(deployment: DeploymentRow, parameters: Mapping[str, Any], enforced: bool | None = None) -> None:
    """Raise `InvalidRequest` when all that a run is given does not fit; `enforced` goes before what the deployment says."""
    schema = deployment.parameter_openapi_schema
    if schema is not None and (deployment.enforce_parameter_schema if enforced is None else enforced):
        check_arguments(decode_json(schema) or {}, parameters)


def check_some_parameters(deployment: DeploymentRow, parameters: Mapping[str, Any]) -> None:
    """Raise `InvalidRequest` when one of these does not fit; what is missing comes from elsewhere."""
    schema = deployment.parameter_openapi_schema
    if schema is not None and parameters and deployment.enforce_parameter_schema:
        check_some_arguments(decode_json(schema) or {}, parameters)
