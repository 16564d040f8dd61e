"""The regression gate: a Run against an older one, with limits."""
