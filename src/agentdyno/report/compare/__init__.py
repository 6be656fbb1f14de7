"""`agentdyno compare`: what changed between two experiments or two runtimes, and whether it may."""
