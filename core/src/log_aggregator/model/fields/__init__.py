"""The fields of a record: how each is read from what was sent, folded, limited and repaired. Knows no protocol."""
