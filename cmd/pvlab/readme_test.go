package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestReadmeShowsTheDemo: the picture in the README is what the demo prints.
// Renew it by pasting the output again.
func TestReadmeShowsTheDemo(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var out, errw bytes.Buffer
	if code := run([]string{"demo"}, nil, &out, &errw); code != 0 {
		t.Fatalf("demo: exit %d: %s", code, &errw)
	}
	printed := map[string]bool{}
	for _, l := range strings.Split(out.String(), "\n") {
		printed[strings.TrimRight(l, " ")] = true
	}
	_, rest, ok := strings.Cut(string(readme), "What the demo prints:\n\n```\n")
	shown, _, ok2 := strings.Cut(rest, "\n```")
	if !ok || !ok2 {
		t.Fatal("README.md: no picture of the demo")
	}
	for _, l := range strings.Split(shown, "\n") {
		if !printed[l] && !strings.HasPrefix(l, "[...") {
			t.Errorf("README.md shows a line that the demo does not print:\n%s", l)
		}
	}
}
