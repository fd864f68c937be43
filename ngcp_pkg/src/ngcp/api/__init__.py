"""The REST API for operators and their systems: HTTPS, HAL+JSON, the platform's conventions."""
