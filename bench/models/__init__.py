"""Model files: contents, cost, and which runtimes can load them."""
