"""Small images and models that are right by construction."""
