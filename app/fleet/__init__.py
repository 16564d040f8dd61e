"""Other machines, through their Docker engines: no agent and no protocol of our own."""
