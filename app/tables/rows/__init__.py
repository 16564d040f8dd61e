"""The types of rows that commands print with ``--format json`` and ``jsonl``; docs/schema is generated from them.

A field that some rows lack is UNSET by default. Unknown values are None. Fields that end in ``_s`` are in seconds,
those in ``_ms`` in milliseconds. Shares are from 0 to 1.
"""
