"""Who may call, and how much: keys, scopes, rates."""
