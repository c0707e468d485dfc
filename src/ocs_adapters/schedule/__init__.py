"""Starting processes by themselves: when they are due, how far that was seen to, and who does it."""
