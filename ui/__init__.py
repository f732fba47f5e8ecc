"""Command line, HTTP API and Gradio page. No retrieval logic."""
