"""What an agent may do: typed functions whose signature is the schema."""
