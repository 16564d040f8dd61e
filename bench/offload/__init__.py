"""Run it here, or send it there: local and remote inference of the same images, measured in one run and judged."""
