"""Tables, plots and progress: printing and drawing live here and nowhere else."""
