"""``python -m app`` is ``edge-bench``."""

from app.entry import main

main()
