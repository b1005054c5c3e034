"""From evaluated models to a store: artifacts, the promotion gate and the champion."""
