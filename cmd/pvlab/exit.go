package main

import (
	"context"
	"errors"
	"fmt"

	"pvlab/entry/asm"
	"pvlab/entry/judge"
	"pvlab/hv"
	"pvlab/hv/image"
)

// Exit codes of every command (README.md). `boot` adds 10 to 16: how
// the guest ended (hv.End.ExitCode).
const (
	exitOK          = 0
	exitFinding     = 1   // a finding or a disagreement
	exitUsage       = 64  // the command line is wrong
	exitInput       = 65  // an input file cannot be used
	exitUnavailable = 69  // a tool this needs is not installed, or stdout takes no output
	exitDefect      = 70  // a defect of pvlab
	exitInterrupted = 130 // by SIGINT, as shells say it
)

// exitError carries an exit code; a nil err means that everything there is to
// say has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func inputf(format string, args ...any) error {
	return &exitError{exitInput, fmt.Errorf(format, args...)}
}

// finding ends the command with code and no further message.
func finding(code int) error { return &exitError{code: code} }

// exitCode finds the code that an error asks for.
func exitCode(err error) int {
	var (
		ee      *exitError
		image   *image.Error
		tool    *asm.ToolMissing
		missing *judge.Missing
		defect  *hv.Defect
		source  *asm.SourceError
		object  *asm.ObjectError
		undef   *asm.UndefinedError
		entries *asm.MissingEntries
	)
	switch {
	case errors.As(err, &defect):
		return exitDefect
	case errors.As(err, &ee):
		return ee.code
	case errors.As(err, &image), errors.As(err, &source), errors.As(err, &object),
		errors.As(err, &undef), errors.As(err, &entries):
		return exitInput
	case errors.As(err, &tool), errors.As(err, &missing):
		return exitUnavailable
	case errors.Is(err, context.Canceled): // what signal.NotifyContext makes of SIGINT
		return exitInterrupted
	}
	return exitDefect
}
