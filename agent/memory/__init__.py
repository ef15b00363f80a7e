"""What shoppers told of themselves: noted from their own words, used later, shown and forgotten on request."""
