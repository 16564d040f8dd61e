"""Commands that read Runs: compare, report, history."""
