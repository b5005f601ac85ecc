"""Tables: one file each, from the evaluation's JSON to Markdown, CSV and LaTeX. A table pivots and formats only."""
