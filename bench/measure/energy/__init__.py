"""Energy of a run: the meter, the idle power, and findings about them."""
