"""Cost of ``edge-bench fleet run`` on the controller, the machine that runs the command."""
