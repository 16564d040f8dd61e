"""The report's parts about local or remote inference."""
