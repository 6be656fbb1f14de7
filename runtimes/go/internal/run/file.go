package run

import (
	"os"
	"strings"

	"agentloop/internal/agent"
	"agentloop/internal/chat"
	"agentloop/internal/command"
	"agentloop/internal/fields"
)

const contractVersion = 1

// File is the run file: everything that a run is told.
//
// Source: runtimes/CONTRACT.md, "The run file".
type File struct {
	tasks, workspaces, events string

	agents, maxRetries, slots int

	prompts  *agent.Prompts
	request  agent.Request
	endpoint *chat.Endpoint
	timeouts chat.Timeouts
	retries  chat.Retries
	argv     []string
	limits   command.Limits
}

// LoadFile reads a run file and checks it and what it names.
func LoadFile(path string) (*File, error) {
	f, err := fields.OfFile(path)
	if err != nil {
		return nil, err
	}
	if f.Integer("contract_version", 0) != contractVersion {
		f.Refuse("contract_version", "1, the one that this runtime obeys")
	}
	verify, timeouts, transport := f.Fields("verify"), f.Fields("timeouts"), f.Fields("transport")
	file := &File{
		tasks:      f.Path("tasks_file"),
		workspaces: f.WritableFolder("workspaces"),
		events:     f.Path("events"),
		agents:     f.Integer("agents", 1),
		maxRetries: f.Integer("max_retries", 0),
		slots:      verify.Integer("slots", 1),
		timeouts: chat.Timeouts{
			Connect: chat.Seconds(timeouts.Positive("connect_s")),
			Idle:    chat.Seconds(timeouts.Positive("event_idle_s")),
			Total:   chat.Seconds(timeouts.Positive("total_s")),
		},
		retries: chat.Retries{
			Max:   transport.Integer("max_retries", 0),
			BaseS: transport.NotNegative("base_s"),
			CapS:  transport.NotNegative("cap_s"),
		},
		argv: verify.Arguments("argv"),
		limits: command.Limits{
			Environment: verify.Environment("env"),
			Timeout:     chat.Seconds(verify.Positive("timeout_s")),
			OutputBytes: verify.Integer("output_limit_bytes", 1),
		},
	}
	if file.request, err = agent.NewRequest(f.Text("model"), f.Object("request")); err != nil {
		f.Refuse("request", "an object without messages, model, stream and numbers too large for a double")
	}
	key := os.Getenv("LLM_API_KEY")
	if file.endpoint, err = chat.NewEndpoint(f.Text("base_url"), key); err != nil {
		f.RefuseUnshown("base_url", "http:// or https:// and a host without a user, with a port, a path and a query if need be")
	}
	prompts := f.Path("prompts_file")
	if err := f.Err(); err != nil {
		return nil, err
	}
	// From here on it is what the run file names.
	if strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
		return nil, fields.InvalidInput("LLM_API_KEY: holds characters that a header may not hold; set it to the key alone")
	}
	if _, err := command.FindProgram(file.argv[0], file.limits.Environment); err != nil {
		return nil, fields.InvalidInput("%s: verify.argv: %v; name one that is there", path, err)
	}
	if file.prompts, err = agent.LoadPrompts(prompts); err != nil {
		return nil, err
	}
	count, err := agent.CountTasks(file.tasks)
	if err != nil {
		return nil, err
	}
	// More agents than tasks would have nothing to do, and more slots than agents nobody to use them.
	file.agents = min(file.agents, count)
	file.slots = min(file.slots, file.agents)
	return file, nil
}
