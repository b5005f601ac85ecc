"""Training: the loop, its optimisers and states, batches and augmentation, and what each target trains on."""
