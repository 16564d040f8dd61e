"""Style, axes, labels and file formats that all figures share."""
