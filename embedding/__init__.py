"""Text, pictures and video become vectors."""
