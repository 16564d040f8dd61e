"""The benchmark: request, plan, schedule, runner, recorder, trust."""
