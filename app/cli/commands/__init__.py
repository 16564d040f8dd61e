"""The commands, one module each; ``main.py`` registers them."""
