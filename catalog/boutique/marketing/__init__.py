"""Generated marketing films of the boutique, who saw them and who clicked; the shop's own bytes stay as they are."""
