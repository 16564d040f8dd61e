"""Which tests run in the same process of pytest-xdist.

Its own groups (``xdist_group``) have no effect with pytest 9.2: node ids no longer take the suffix that they need.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

__all__ = ["GroupScheduling", "group_of"]

#: Groups of modules that share images, engines or a page. They take longest, so they start first.
LONG_GROUPS = {
    "tests/containers/": "containers",
    "tests/fleet/test_engines.py": "engines",
    "tests/fleet/test_swarm.py": "engines",
    "tests/fleet/test_ways_there.py": "engines",
    "tests/app/report/test_report": "report",  # also in a browser
}


def group_of(nodeid: str) -> str:
    """Return the name of the group of a test: images, engines, the report, or its module. Fixtures are made once."""
    module = nodeid.split("::", 1)[0]
    return next((group for prefix, group in LONG_GROUPS.items() if module.startswith(prefix)), module)


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Tests of a group run in one process, in the order of their collection."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False  # not by the number of tests, which says little about their duration
        super().__init__(config, log)

    def remove_node(self, node: Any) -> str | None:
        """Return the test during which a process died, if any. What is left of its groups runs in other processes.

        pytest-xdist 3.8 would repeat that test for ever, or wait for ever for groups in which nothing is left.
        """
        work = self.assigned_work.pop(node)
        left = {
            group: missing
            for group, tests in work.items()
            if (missing := {test: done for test, done in tests.items() if not done})
        }
        if not left:
            return None
        tests = next(iter(left.values()))
        crashed: str = next(iter(tests))
        del tests[crashed]
        self.workqueue.update({name: tests for name, tests in left.items() if tests})
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: Any) -> None:
        """Give a process two tests or the end: it starts a test only when it knows what follows."""
        super()._reschedule(node)
        while not node.shutting_down and (not self.workqueue or self._pending_of(self.assigned_work[node]) < 2):
            super()._reschedule(node)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
