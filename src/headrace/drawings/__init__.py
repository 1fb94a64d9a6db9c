"""Drawings of flows: what `flow.visualize()` gives, to be looked at, saved, or shown on a terminal."""

from headrace.drawings.drawing import Drawing
from headrace.drawings.graph import Graph, Need, Step

__all__ = ["Drawing", "Graph", "Need", "Step"]
