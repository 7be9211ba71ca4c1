"""Looking at a lab from outside: clients that poll, observers that count. Nothing here drives the lab."""
