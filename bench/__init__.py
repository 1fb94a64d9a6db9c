"""Side-by-side benchmarks of Headrace and its peers: `python -m bench` from the root of the repository.

Every figure that is compared is taken in the same run: subjects take turns inside each repeat, and ratios are computed
repeat by repeat. `subjects.py` says who is measured and how, `measures.py` what is measured, `budget.py` what must be
reached.
"""
