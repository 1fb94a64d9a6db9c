"""Input of flow runs: what they ask for while they wait, and what is sent to them while they run."""

from headrace.input.receiving import InputReceiver, ReceivedInput, receive_input
from headrace.input.run_input import RunInput
from headrace.input.sending import asend_input, send_input
from headrace.input.texts import (
    RunInputMetadata,
    acreate_flow_run_input,
    adelete_flow_run_input,
    afilter_flow_run_input,
    aread_flow_run_input,
    create_flow_run_input,
    delete_flow_run_input,
    filter_flow_run_input,
    keyset_from_base_key,
    keyset_from_paused_state,
    read_flow_run_input,
)

__all__ = [
    "InputReceiver", "ReceivedInput", "RunInput", "RunInputMetadata", "acreate_flow_run_input", "adelete_flow_run_input",
    "afilter_flow_run_input", "aread_flow_run_input", "asend_input", "create_flow_run_input", "delete_flow_run_input",
    "filter_flow_run_input", "keyset_from_base_key", "keyset_from_paused_state", "read_flow_run_input", "receive_input",
    "send_input",
]  # fmt: skip
