"""Networks, each a recipe; needs the extra ``networks``."""
