"""Steps: what is done before deploying (build, push), and before a run where it runs (pull)."""
