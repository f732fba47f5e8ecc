"""The write path: catalogues and files in, pages and passages out."""
