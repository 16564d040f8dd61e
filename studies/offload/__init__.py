"""Break-even predictions and link simulation against measurements."""
