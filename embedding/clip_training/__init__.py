"""`vitrine train clip`: an open_clip model fitted on the catalogue's own pictures and texts."""
