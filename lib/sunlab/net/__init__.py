"""What ipadm and dladm of a lab node are made of."""
