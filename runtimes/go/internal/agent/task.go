package agent

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"agentloop/internal/fields"
)

// Task is one coding problem: a specification, and the pytest module that a solution must pass.
type Task struct {
	ID, Prompt, Tests, EntryPoint string

	StartAfter time.Duration // since the run began; an agent does not begin it earlier
}

// Tasks are read from a file of JSON lines one by one, so that those that wait take no memory.
type Tasks struct {
	file   *os.File
	lines  *bufio.Reader
	number int
}

// OpenTasks opens a tasks file.
func OpenTasks(path string) (*Tasks, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fields.InvalidInput("tasks_file: %v; name a file that is there", err)
	}
	return &Tasks{file: file, lines: bufio.NewReader(file)}, nil
}

// Next returns the next task, io.EOF after the last.
func (t *Tasks) Next() (*Task, error) {
	line, err := t.lines.ReadBytes('\n')
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	if err == io.EOF {
		return nil, err
	}
	if err != nil {
		return nil, fields.InvalidInput("tasks_file: %v; name a file that is there", err)
	}
	t.number++
	return parseTask(fmt.Sprintf("%s, line %d", t.file.Name(), t.number), bytes.TrimSuffix(line, []byte{'\n'}))
}

// Close closes the file.
func (t *Tasks) Close() { t.file.Close() }

func parseTask(where string, line []byte) (*Task, error) {
	object, err := fields.Of(where, line)
	if err != nil {
		return nil, err
	}
	task := &Task{
		ID:         object.Text("task_id"),
		Prompt:     object.Text("prompt"),
		Tests:      object.Text("tests"),
		EntryPoint: object.Text("entry_point"),
	}
	if object.Has("start_after_ns") {
		task.StartAfter = time.Duration(object.Integer("start_after_ns", 0))
	}
	return task, object.Err()
}

// CountTasks returns how many tasks a file holds; it fails when there are none, one does not load, or two have
// the same name.
func CountTasks(path string) (int, error) {
	tasks, err := OpenTasks(path)
	if err != nil {
		return 0, err
	}
	defer tasks.Close()
	seen := map[string]bool{}
	for {
		task, err := tasks.Next()
		switch {
		case errors.Is(err, io.EOF) && len(seen) > 0:
			return len(seen), nil
		case errors.Is(err, io.EOF):
			return 0, fields.InvalidInput("%s: holds no task; write one JSON object a line there", path)
		case err != nil:
			return 0, err
		case seen[task.ID]:
			return 0, fields.InvalidInput("%s: task_id %q is there twice; give every task its own", path, task.ID)
		}
		seen[task.ID] = true
	}
}
