package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// address is one in the guest image, which another build of it moves.
var address = regexp.MustCompile(`ffffffff80[0-9a-f]{6}`)

// TestReadmeShowsTheDemo: the picture in the README is what the demo prints,
// but for addresses in the guest. Renew it by pasting the output again.
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
	plain := func(l string) string {
		return address.ReplaceAllString(strings.TrimRight(l, " "), "ffffffff80......")
	}
	for _, l := range strings.Split(out.String(), "\n") {
		printed[plain(l)] = true
	}
	_, rest, ok := strings.Cut(string(readme), "What the demo prints:\n\n```\n")
	shown, _, ok2 := strings.Cut(rest, "\n```")
	if !ok || !ok2 {
		t.Fatal("README.md: no picture of the demo")
	}
	for _, l := range strings.Split(shown, "\n") {
		if !printed[plain(l)] && !strings.HasPrefix(l, "[...") {
			t.Errorf("README.md shows a line that the demo does not print:\n%s", l)
		}
	}
}
