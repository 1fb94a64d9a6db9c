"""What Schemathesis loads into its process, for its requests to be many different ones."""

import hypothesis


def aim_at_nothing(observation: float, *, label: str = "") -> float:
    """Takes the place of what tells Hypothesis which examples were good, for it to find better ones.

    Schemathesis tells it which requests were accepted. An accepted one cannot be bettered, so Hypothesis makes it smaller
    instead, step by step, and each step is a request: more than half of all requests had been sent before.
    """
    return observation


hypothesis.target = aim_at_nothing
