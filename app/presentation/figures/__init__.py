"""The pictures: each module draws one, ``catalog`` lists them, ``canvas`` and ``svg`` hold their common style."""
