"""Reports: Markdown from templates, drawings, and one HTML page of both."""
