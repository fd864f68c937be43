"""One module a revision; `ngcp.provisioning.tables` shows where they lead."""
