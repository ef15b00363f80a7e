"""A conversation becomes a grounded, explained top-N."""
