"""Models of other tasks than classify, and their workloads in the test's own process."""
