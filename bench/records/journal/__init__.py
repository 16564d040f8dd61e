"""The journal of an unfinished Run: its file and its entries."""
