"""The read path: a question in, a cited answer or a refusal out."""
