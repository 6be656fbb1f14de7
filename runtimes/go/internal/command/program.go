package command

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// FindProgram returns the path of a program, sought on the PATH of an environment if its name has no slash.
//
// A relative path is returned as it is: whether it leads anywhere depends on the folder it is started in.
func FindProgram(name string, environment []string) (string, error) {
	if strings.Contains(name, "/") {
		if filepath.IsAbs(name) && !isProgram(name) {
			return "", fmt.Errorf("%q is no program", name)
		}
		return name, nil
	}
	for _, folder := range filepath.SplitList(variable(environment, "PATH")) {
		candidate := filepath.Join(folder, name)
		if name != "" && filepath.IsAbs(folder) && isProgram(candidate) {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("%q is no program on the PATH of its environment", name)
}

func isProgram(path string) bool {
	const execute = 1
	status, err := os.Stat(path)
	return err == nil && status.Mode().IsRegular() && syscall.Access(path, execute) == nil
}

func variable(environment []string, name string) string {
	for _, entry := range environment {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}
