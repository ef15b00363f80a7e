"""How the boutique's pictures and films are drawn: outlines, forms, light, pattern, products."""
