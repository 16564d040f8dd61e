"""Analysis of profiles: what limits each operator, and which operators explain the difference of two profiles."""
