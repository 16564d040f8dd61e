"""The sandbox of processes that load models: Landlock for files, seccomp for system calls (Linux only).

``support.py`` detects the kernel's support, ``launch.py`` makes the command that starts a module in the sandbox, and
``__main__.py`` is that command: it restricts its own process and then runs the module.
"""
