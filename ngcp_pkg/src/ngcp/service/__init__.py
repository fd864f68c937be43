"""The frame every daemon lives in: configuration, systemd, logging, credentials and control commands."""
