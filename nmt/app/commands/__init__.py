"""The commands, one file each: its flags, and what it does."""
