package run

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"agentloop/internal/chat"
	"agentloop/internal/command"
	"agentloop/internal/events"
	"agentloop/internal/fields"
	"agentloop/internal/jsontext"
	"agentloop/internal/text"
	"agentloop/internal/workspace"
)

// ServeTools answers each call of a tool in a workspace, a line of JSON, with another.
//
// Source: runtimes/CONTRACT.md, "Tools".
func ServeTools(folder string, calls io.Reader, answers io.Writer) (err error) {
	defer recovered(&err)
	path, err := filepath.EvalSymlinks(folder)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return fields.InvalidInput("%v; name the workspace that the tools are to work in", err)
	}
	if status, err := os.Stat(path); err != nil || !status.IsDir() {
		return fields.InvalidInput("%s: is no folder; name the workspace that the tools are to work in", folder)
	}
	lines := bufio.NewReader(calls)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			if _, err := answers.Write(answer(path, line)); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func answer(folder string, line []byte) []byte {
	result, err := resultOf(folder, line)
	if err != nil {
		message := jsontext.AppendQuoted([]byte(`{"error":`), text.OneLine(text.Decode([]byte(err.Error()))))
		return append(message, "}\n"...)
	}
	return append(append([]byte(`{"result":`), result...), "}\n"...)
}

// resultOf returns what a call comes to, as JSON. Nothing is done for one of which a field is missing.
func resultOf(folder string, line []byte) ([]byte, error) {
	call, err := fields.Of("call", line)
	if err != nil {
		return nil, err
	}
	tools := workspace.NewTools(folder)
	switch name := call.Text("tool"); name {
	case "write_file":
		path, content := call.Text("path"), call.Text("content")
		if call.Err() == nil {
			return []byte("null"), tools.WriteFile(path, content)
		}
	case "read_file":
		path := call.Text("path")
		if call.Err() == nil {
			content, err := tools.ReadFile(path)
			return jsontext.AppendQuoted(nil, content), err
		}
	case "list_dir":
		path := call.Text("path")
		if call.Err() == nil {
			names, err := tools.ListDir(path)
			return list(names, jsontext.AppendQuoted), err
		}
	case "search":
		wanted, path := call.Text("text"), call.Text("path")
		if call.Err() == nil {
			matches, err := tools.Search(wanted, path)
			return list(matches, appendMatch), err
		}
	case "bash":
		argv := []string{"bash", "-c", call.Argument("command")}
		limits := command.Limits{
			Environment: call.Environment("env"),
			Timeout:     chat.Seconds(call.Positive("timeout_s")),
			OutputBytes: call.Integer("output_limit_bytes", 1),
		}
		if call.Err() == nil {
			finished, err := command.Run(context.Background(), argv, folder, limits)
			return ending(finished), err
		}
	default:
		call.Refuse("tool", "write_file, read_file, list_dir, search or bash")
	}
	return nil, call.Err()
}

func list[T any](entries []T, appendEntry func(to []byte, entry T) []byte) []byte {
	to := []byte{'['}
	for i, entry := range entries {
		if i > 0 {
			to = append(to, ',')
		}
		to = appendEntry(to, entry)
	}
	return append(to, ']')
}

func appendMatch(to []byte, match workspace.SearchMatch) []byte {
	to = jsontext.AppendQuoted(append(to, `{"path":`...), match.Path)
	to = strconv.AppendInt(append(to, `,"line":`...), int64(match.Line), 10)
	to = jsontext.AppendQuoted(append(to, `,"text":`...), match.Text)
	return append(to, '}')
}

func ending(finished command.Finished) []byte {
	to := jsontext.AppendQuoted([]byte(`{"stdout":`), text.Decode(finished.Stdout))
	to = jsontext.AppendQuoted(append(to, `,"stderr":`...), text.Decode(finished.Stderr))
	to = events.AppendStatus(append(to, ','), true, finished.Status)
	to = strconv.AppendBool(append(to, `,"timed_out":`...), finished.TimedOut)
	return append(to, '}')
}
