"""Writers of small images and models, most of which are right by construction."""
