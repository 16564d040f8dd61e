"""Worker processes: parent side, messages, and what runs inside one."""
