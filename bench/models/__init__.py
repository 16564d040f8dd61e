"""Model files: what is in them, what they cost, which runtimes can load them."""
