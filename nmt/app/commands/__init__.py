"""The commands, a file each: its flags (`add_parser`) and what it does (`run`)."""
