module agentloop

go 1.26
