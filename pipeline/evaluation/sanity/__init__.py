"""The sanity card: cases whose answer is known without the evaluator, and what the evaluator says to them."""
