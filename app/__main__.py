"""``python -m app`` is ``edge-bench``."""

from app.cli import main

main()
