"""LIRDRec: learned item representations, decoded and recommended (arXiv 2505.04960)."""
