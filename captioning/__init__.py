"""Item media become words."""
