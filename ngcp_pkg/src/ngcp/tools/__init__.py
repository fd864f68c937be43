"""What operators and the boot process call from the command line."""
