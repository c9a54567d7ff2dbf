"""Records → journal → acknowledgement."""
