"""HTML in typed pieces that escape everything else."""
