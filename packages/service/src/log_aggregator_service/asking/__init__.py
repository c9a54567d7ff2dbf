"""How the commands that read or change something ask a running service, and how they print what it answers."""
