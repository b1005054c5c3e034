"""Kill writers at random moments, and look for what they had acknowledged."""
