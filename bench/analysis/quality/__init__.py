"""Quality of outputs by task, its differences, and agreement of outputs."""
