"""Commands for other machines: fleet run, list, clean and train."""
