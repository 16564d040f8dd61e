"""The benchmark: request, plan, schedule, runner, recorder, Run builder, trust, session."""
