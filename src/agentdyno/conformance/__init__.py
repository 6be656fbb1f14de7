"""The contract as rules, and the cases that hold any runtime to them, observed from outside alone."""
