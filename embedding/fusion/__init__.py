"""The fusion transformer: vectors of several kinds of one item, or of one query, become one vector."""
