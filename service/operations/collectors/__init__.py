"""What Prometheus sees of one service, a group of metrics a module; read when it asks."""
