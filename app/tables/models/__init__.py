"""Tables about models: inspect and training."""
