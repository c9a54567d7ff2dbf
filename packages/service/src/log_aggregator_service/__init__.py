"""The default set of core and plugins, and the commands that a running service does not need."""
