"""How good forecasts are, whether one is better than another, and intervals around them."""
