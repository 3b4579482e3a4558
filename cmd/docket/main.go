// Command docket is the whole of Docket in one binary: the servers (serve, work, up), the
// schema (migrate), and the command line for people.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // clients' zones, also where the machine has no zone files
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends at once what does not end by itself.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.Getenv, now: time.Now, zone: time.Local,
	}, os.Args[1:]))
}

// run runs one command line and gives its exit code.
func run(ctx context.Context, a *app, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	a.close(context.WithoutCancel(ctx))
	return a.fail(err)
}
