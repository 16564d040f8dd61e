"""The report: one self-contained page; ``chapter`` gathers, the other modules are a section each, ``page`` binds."""
