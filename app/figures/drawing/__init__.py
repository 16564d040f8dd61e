"""What all figures share: style, axes, labels, and the formats they are saved in."""
