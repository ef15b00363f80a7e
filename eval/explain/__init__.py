"""Whether what the shop says of an item is what put it there: the named evidence goes, and the item must fall."""
