"""The configuration tool of the node: values in YAML, text in templates, both in git, applied as one.

What comes in: `/etc/ngcp-config` (config.yml, constants.yml, network.yml and `templates/`). What goes out:
the files the templates name, each replaced as a whole or not at all, and the restarts that those files need.
"""

__version__ = "0.1.0"
