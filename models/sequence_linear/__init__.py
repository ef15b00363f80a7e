"""EASE on who took both items, who took them one after the other, and how alike they are."""
