package image

import "fmt"

// Error says why a file cannot be used. It prints as one line,
// `FILE: FIELD: what is wrong, what is expected`.
type Error struct {
	File  string // as the user named it
	Field string // header field, note or segment at fault
	Msg   string
}

func (e *Error) Error() string { return e.File + ": " + e.Field + ": " + e.Msg }

// reporter makes Errors about one file.
type reporter string

func (r reporter) errorf(field, format string, args ...any) *Error {
	return &Error{File: string(r), Field: field, Msg: fmt.Sprintf(format, args...)}
}
