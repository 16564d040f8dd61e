"""Reading of folders, labels files and class lists as people and programs leave them."""
