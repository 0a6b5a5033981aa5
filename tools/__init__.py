"""What sets the house up and checks it. Standard library only: it runs before anything is installed."""
