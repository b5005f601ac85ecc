"""What networks answer, by the kind of the target that they learn: how an answer is stored and what face it is."""
