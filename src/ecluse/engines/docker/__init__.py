"""What runs on one Docker machine. Knows nothing of plans, deployments or their history.

`engine.py` is the port: it says which part does what is asked. `environment.py` makes the parts of one environment,
`machine.py` what they share. What is said to Docker and what its answers mean is in pure files; what talks to it goes
through `client.py`.
"""
