"""The types of rows that commands print with ``--format json`` and ``jsonl``; docs/schema is generated from them.

A field that not every row has is UNSET by default. Values that are not known are None. Times of a name in ``_s`` are in
seconds, in ``_ms`` in milliseconds; shares are from 0 to 1.
"""
