"""A release: wheel, sdist and images, with bills of materials, provenance and signatures (``make release``)."""
