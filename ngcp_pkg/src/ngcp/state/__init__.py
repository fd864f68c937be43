"""Live state in Redis: concurrent calls, their dialogs, and the records they leave (the only Redis)."""
