package workspace

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func TestRemoveWhateverWasDone(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"nothing": func(string) error { return nil },
		"gone":    os.Remove,
		"a file in its place": func(path string) error {
			return os.WriteFile(path+"-", nil, 0o600)
		},
		"folders without permissions": func(path string) error {
			if err := os.MkdirAll(path+"/a/b/c", 0o700); err != nil {
				return err
			}
			return os.Chmod(path+"/a", 0)
		},
		"a deep folder": func(path string) error {
			return os.MkdirAll(path+strings.Repeat("/deep", 700), 0o700)
		},
		"a pipe": func(path string) error { return syscall.Mkfifo(path+"/pipe", 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			own, err := New(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if err := spoil(own.Path); err != nil {
				t.Fatal(err)
			}
			if err := own.Remove(); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(own.Path); !os.IsNotExist(err) {
				t.Errorf("%s is still there: %v", own.Path, err)
			}
		})
	}
}

func TestRemoveFollowsNoLink(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.MkdirAll(outside+"/kept", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{"", "/link"} {
		own, err := New(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if place == "" {
			os.Remove(own.Path)
		}
		if err := os.Symlink(outside, own.Path+place); err != nil {
			t.Fatal(err)
		}
		if err := own.Remove(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(own.Path); !os.IsNotExist(err) {
			t.Error(err)
		}
	}
	if _, err := os.Stat(outside + "/kept"); err != nil {
		t.Error(err)
	}
}

func TestTools(t *testing.T) {
	tools := NewTools(t.TempDir())
	for path, content := range map[string]string{"b/c.txt": "x\r\nneedle\r\n", "a": "no\nneedles", "b.x": "needle\r"} {
		if err := tools.WriteFile(path, content); err != nil {
			t.Fatal(err)
		}
	}
	if content, err := tools.ReadFile("b/c.txt"); content != "x\r\nneedle\r\n" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
	if names, err := tools.ListDir("."); !reflect.DeepEqual(names, []string{"a", "b.x", "b/"}) || err != nil {
		t.Errorf("%q, %v", names, err)
	}
	matches, err := tools.Search("needle", "")
	expected := []SearchMatch{{"a", 2, "needles"}, {"b.x", 1, "needle\r"}, {"b/c.txt", 2, "needle"}}
	if !reflect.DeepEqual(matches, expected) || err != nil {
		t.Errorf("%v, %v", matches, err)
	}
}

// TestNamesAreInTheOrderOfWhatIsShown has names whose bytes have another order than their code points, because they are
// no UTF-8: U+FFFD, which is shown in their place, is less than U+1F600.
func TestNamesAreInTheOrderOfWhatIsShown(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"\xff", "\xfe", "\U0001f600", "\x80x", "z"} {
		for _, path := range []string{folder, filepath.Join(folder, "in\xff")} {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(path, name), []byte("needle "+name+"\nneedle"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	names := []string{"z", "\ufffd", "\ufffd", "\ufffdx", "\U0001f600"}
	tools := NewTools(folder)
	listed := append([]string{"in\ufffd/"}, names...)
	if shown, err := tools.ListDir(""); !reflect.DeepEqual(shown, listed) || err != nil {
		t.Errorf("%q, %v, expected %q", shown, err, listed)
	}
	var expected []SearchMatch
	for _, prefix := range []string{"in\ufffd/", ""} {
		for _, name := range names {
			expected = append(expected, SearchMatch{prefix + name, 1, "needle " + name}, SearchMatch{prefix + name, 2, "needle"})
		}
	}
	matches, err := tools.Search("needle", "")
	if !reflect.DeepEqual(matches, expected) || err != nil {
		t.Errorf("%+v, %v, expected %+v", matches, err, expected)
	}
}

func TestToolsAreConfined(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(outside+"/file", []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for link, target := range map[string]string{"folder": outside, "file": outside + "/file", "nowhere": outside + "/new"} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	tools := NewTools(folder)
	for _, path := range []string{"", "/etc/passwd", "..", "a/../../x", "folder/file", "folder/new", "file", "nowhere", "a\x00b"} {
		if err := tools.WriteFile(path, "x"); err == nil {
			t.Errorf("%q was written", path)
		}
		if content, err := tools.ReadFile(path); err == nil {
			t.Errorf("%q was read: %q", path, content)
		}
	}
	for _, path := range []string{"folder", "..", "/"} {
		if names, err := tools.ListDir(path); err == nil {
			t.Errorf("%q was listed: %q", path, names)
		}
		if matches, err := tools.Search("", path); err == nil {
			t.Errorf("%q was searched: %v", path, matches)
		}
	}
	if matches, err := tools.Search("secret", "."); len(matches) > 0 || err != nil {
		t.Errorf("%v, %v", matches, err)
	}
	if entries, _ := os.ReadDir(outside); len(entries) != 1 {
		t.Errorf("%v", entries)
	}
}
