"""The door: what comes in over HTTP and what is answered."""
