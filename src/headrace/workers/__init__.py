"""Workers: take runs that are due from a pool, and execute each in a process of its own under a supervisor.

`worker.py` is the loop, `infrastructure.py` what it needs of a kind of pool, `process.py` the kind whose runs are processes
here: `zygote.py` forks them warm, `supervisor.py` watches over one, `execution.py` is what happens in it.
"""
