"""What a command does from start to end: one file a command, and what several of them share."""
