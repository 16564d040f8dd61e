"""Changes of this night, and what else changed with them."""
