package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"pvlab/guest"
)

// version is set by release builds with -ldflags "-X main.version=...".
var version = ""

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of pvlab, of Go, of the modelled Xen, and the embedded guest images",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := version
			if info, ok := debug.ReadBuildInfo(); ok && v == "" {
				v = info.Main.Version
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						v = s.Value
					}
				}
			}
			if v == "" || v == "(devel)" {
				v = "development"
			}
			fmt.Fprintf(a.out, "pvlab %s (%s %s/%s), models Xen 4.17\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			for _, name := range guest.Names() {
				img, err := guest.Image(name)
				if err != nil {
					return err
				}
				fmt.Fprintf(a.out, "guest image %s, %d bytes\n", name, len(img))
			}
			return nil
		},
	}
}
