"""The wire: REST, SSE, OpenAI-compatible chat and the page."""
