"""The environment and plugins.toml, validated."""
