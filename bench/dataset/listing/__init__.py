"""Reading of folders, labels files and class lists in the forms that people and programs write."""
