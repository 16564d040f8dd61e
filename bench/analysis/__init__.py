"""From Runs to answers: comparison, agreement, attribution, history, regression gate."""
