"""Many schedules due in the same second, on two servers: none missing, none double. The figures are `python -m bench.due`'s."""

from pathlib import Path

import pytest

from bench.due import measure_due


@pytest.mark.postgresql
def test_two_servers_hand_out_each_run_once(postgresql_url: str, tmp_path: Path) -> None:
    outcome = measure_due(postgresql_url, tmp_path, 500, 50, allowance=40, rest=0)
    assert (outcome.missing, outcome.double) == (0, 0), outcome.describe()
    assert len(outcome.lags) == 50
