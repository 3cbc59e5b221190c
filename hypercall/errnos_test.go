package hypercall

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/constant"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pvlab/hypercall/abi"
)

var writeErrnos = flag.Bool("write-errnos", false, "TestErrnos writes errnos.go")

// source is the code that answers hypercalls, with types. Packages of others
// are left empty: no errno comes from them.
type source struct {
	fset   *token.FileSet
	info   *types.Info
	loaded map[string]*types.Package
	bodies map[*types.Func]ast.Node
	named  map[string][]*types.Func // methods, for calls through an interface
}

// Import loads a package of this module from its source, with all that it imports.
func (s *source) Import(name string) (*types.Package, error) {
	if p := s.loaded[name]; p != nil {
		return p, nil
	}
	dir, own := strings.CutPrefix(name, "pvlab/")
	if !own {
		p := types.NewPackage(name, path.Base(name))
		p.MarkComplete()
		s.loaded[name] = p
		return p, nil
	}
	list, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, f := range list {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(s.fset, f, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, parsed)
	}
	conf := types.Config{Importer: s, Error: func(error) {}} // of the empty packages
	p, _ := conf.Check(name, s.fset, files, s.info)
	s.loaded[name] = p
	for _, f := range files {
		for _, d := range f.Decls {
			d, ok := d.(*ast.FuncDecl)
			if !ok || d.Body == nil {
				continue
			}
			if f, ok := s.info.Defs[d.Name].(*types.Func); ok {
				s.bodies[f] = d.Body
				s.named[f.Name()] = append(s.named[f.Name()], f)
			}
		}
	}
	return p, nil
}

// opConstants begin the names of the constants that number a call's operations:
// of a switch over them only the clause of the operation counts.
var opConstants = map[string]string{
	"sched_op": "SchedOp", "sched_op_compat": "SchedOp", "vcpu_op": "VCPUOp", "event_channel_op": "EvtchnOp",
	"event_channel_op_compat": "EvtchnOp", "physdev_op": "Physdev", "physdev_op_compat": "Physdev", "mmuext_op": "MMUExt",
	"set_segment_base": "SegBase", "nmi_op": "NMIOp", "callback_op": "CallbackOp", "console_io": "ConsoleIO",
	"xen_version": "xenver", "vm_assist": "VMAssist", "domctl": "domctl",
}

// walk collects what one operation of a dom0 can come to.
type walk struct {
	*source
	prefix string // of the operation's constants, "" if it has none
	number uint64
	seen   map[ast.Node]bool
	found  map[abi.Errno]bool
}

func (w *walk) node(n ast.Node) {
	if n == nil {
		return
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IfStmt:
			if !onlyDomU(n.Cond) {
				return true
			}
			if n.Else != nil {
				w.node(n.Else)
			}
			return false
		case *ast.BinaryExpr:
			return n.Op != token.EQL && n.Op != token.NEQ || !w.isErrno(n.X) && !w.isErrno(n.Y)
		case *ast.BlockStmt:
			for _, n := range n.List {
				if s, ok := n.(*ast.SwitchStmt); ok {
					if w.clauses(s) {
						break // nothing behind it is come to
					}
					continue
				}
				w.node(n)
			}
			return false
		case *ast.SwitchStmt:
			w.clauses(n)
			return false
		case *ast.Ident:
			w.use(n)
		}
		return true
	})
}

// onlyDomU reports whether a condition holds for no dom0.
func onlyDomU(e ast.Expr) (only bool) {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == token.LOR {
		return onlyDomU(b.X) && onlyDomU(b.Y)
	}
	ast.Inspect(e, func(n ast.Node) bool {
		if u, ok := n.(*ast.UnaryExpr); ok && u.Op == token.NOT {
			s, ok := u.X.(*ast.SelectorExpr)
			only = only || ok && s.Sel.Name == "Privileged"
		}
		return true
	})
	return only
}

func (w *walk) isErrno(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	c, ok := w.info.Uses[s.Sel].(*types.Const)
	return ok && strings.HasSuffix(c.Type().String(), "abi.Errno")
}

// clauses looks at those clauses of a switch that the operation can come to, and
// reports whether its own one ends the function.
func (w *walk) clauses(s *ast.SwitchStmt) (ends bool) {
	for _, n := range []ast.Node{s.Init, s.Tag} {
		if n != nil && n != ast.Node((*ast.AssignStmt)(nil)) {
			w.node(n)
		}
	}
	overOps, matched := false, false
	match := make([]bool, len(s.Body.List))
	for i, c := range s.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			name := e
			if sel, ok := e.(*ast.SelectorExpr); ok {
				name = sel.Sel
			}
			id, ok := name.(*ast.Ident)
			if !ok || w.prefix == "" || s.Tag == nil || !strings.HasPrefix(id.Name, w.prefix) {
				continue
			}
			if k, ok := w.info.Uses[id].(*types.Const); ok {
				v, _ := constant.Uint64Val(k.Val())
				overOps = true
				match[i] = match[i] || v == w.number
				matched = matched || v == w.number
			}
		}
	}
	for i, c := range s.Body.List {
		c := c.(*ast.CaseClause)
		if overOps && !match[i] && (matched || c.List != nil) {
			continue
		}
		if s.Tag == nil && len(c.List) == 1 && onlyDomU(c.List[0]) {
			continue
		}
		if s.Tag == nil {
			for _, e := range c.List {
				w.node(e)
			}
		}
		for _, n := range c.Body {
			w.node(n)
		}
		if n := len(c.Body); match[i] && n > 0 {
			_, ends = c.Body[n-1].(*ast.ReturnStmt)
		}
	}
	return ends
}

// knownENOSYS are operations that Xen knows and answers with -ENOSYS all the same;
// in other calls the row's own -ENOSYS is for numbers that are no operation.
var knownENOSYS = map[string]bool{
	"callback_op": true, "mmu_update": true, "event_channel_op EVTCHNOP_set_priority": true,
}

// use follows a name: an errno, or a function, called or given on.
func (w *walk) use(id *ast.Ident) {
	switch o := w.info.Uses[id].(type) {
	case *types.Const:
		if strings.HasSuffix(o.Type().String(), "abi.Errno") {
			v, _ := constant.Int64Val(o.Val())
			w.found[abi.Errno(v)] = true
		}
	case *types.Func:
		list := []*types.Func{o.Origin()}
		if recv := o.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
			list = w.named[o.Name()]
		}
		for _, f := range list {
			body := w.bodies[f]
			if body != nil && !w.seen[body] && f.Name() != "unmodelled" {
				w.seen[body] = true
				w.node(body)
			}
		}
	}
}

// errnos are those that code reached from roots can answer, for one operation.
func (s *source) errnos(prefix string, number uint64, roots ...ast.Node) map[abi.Errno]bool {
	w := &walk{source: s, prefix: prefix, number: number, seen: map[ast.Node]bool{}, found: map[abi.Errno]bool{}}
	for _, r := range roots {
		w.node(r)
	}
	delete(w.found, 0)
	delete(w.found, abi.ERESTART) // is made a continuation
	return w.found
}

// entries are, by name in quotes, where the tables have a row: its handler is among
// the elements. Names occur twice where two calls share an operation's name.
func (s *source) entries() map[string][]*ast.Ident {
	list := map[string][]*ast.Ident{}
	for f, body := range s.bodies {
		if f.Pkg().Name() != "hypercall" || f.Name() != "Rows" && !strings.HasSuffix(f.Name(), "Ops") {
			continue
		}
		ast.Inspect(body, func(n ast.Node) bool {
			var elements []ast.Expr
			switch n := n.(type) {
			case *ast.CompositeLit:
				elements = n.Elts
			case *ast.CallExpr:
				elements = n.Args
			}
			for _, e := range elements {
				if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING && len(l.Value) > 4 {
					key := f.Name() + l.Value
					for _, e := range elements {
						ast.Inspect(e, func(n ast.Node) bool {
							if id, ok := n.(*ast.Ident); ok {
								list[key] = append(list[key], id)
							}
							return true
						})
					}
				}
			}
			return true
		})
	}
	return list
}

// opsFunc is the name of the function with the operations of a call, as Rows calls it.
func opsFunc(idents []*ast.Ident) string {
	for _, id := range idents {
		if strings.HasSuffix(id.Name, "Ops") && id.Name != "Ops" {
			return id.Name
		}
	}
	return ""
}

// derive makes errnos.go.
func (s *source) derive() ([]byte, error) {
	entries := s.entries()
	var b bytes.Buffer
	b.WriteString("// Code generated from the handlers by `go test ./hypercall -run TestErrnos -write-errnos`; DO NOT EDIT.\n\n" +
		"package hypercall\n\nimport \"pvlab/hypercall/abi\"\n\n" +
		"// errnosOf are the errnos that the source of a call's operation can answer a dom0;\n" +
		"// the operation is \"\" for a call that has none.\n" +
		"func errnosOf() map[[2]string][]abi.Errno {\n\treturn map[[2]string][]abi.Errno{\n")
	line := func(call, op string, found map[abi.Errno]bool) {
		fmt.Fprintf(&b, "\t\t{%q, %q}: {", call, op)
		for i, e := range slices.Sorted(maps.Keys(found)) {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString("abi." + strings.TrimPrefix(e.String(), "-"))
		}
		b.WriteString("},\n")
	}
	nodes := func(idents []*ast.Ident, skip string) (list []ast.Node) {
		for _, id := range idents {
			if id.Name != skip {
				list = append(list, id)
			}
		}
		return list
	}
	for _, r := range Rows() {
		idents := entries["Rows"+fmt.Sprintf("%q", r.Name)]
		if r.run == nil {
			line(r.Name, "", map[abi.Errno]bool{abi.Errno(-r.Support): true})
			continue
		}
		ops := opsFunc(idents)
		if ops == "" {
			line(r.Name, "", s.errnos("", 0, nodes(idents, "")...))
			continue
		}
		for _, op := range r.Ops.List {
			prefix := opConstants[r.Name]
			found := s.errnos(prefix, op.Number, nodes(idents, ops)...)
			if !knownENOSYS[r.Name] && !knownENOSYS[r.Name+" "+op.Name] {
				delete(found, abi.ENOSYS)
			}
			if r.Ops.At == inStruct && !strings.HasSuffix(r.Name, "_compat") {
				delete(found, abi.EFAULT) // of the structure that has the number
			}
			if op.Dom0 < 0 {
				found[abi.Errno(-op.Dom0)] = true
				line(r.Name, op.Name, found)
				continue
			}
			place := entries[ops+fmt.Sprintf("%q", op.Name)]
			maps.Copy(found, s.errnos(prefix, op.Number, nodes(place, "")...))
			line(r.Name, op.Name, found)
		}
	}
	b.WriteString("\t}\n}\n")
	return format.Source(b.Bytes())
}

// TestErrnos: errnos.go is what the source says.
func TestErrnos(t *testing.T) {
	s := &source{fset: token.NewFileSet(), loaded: map[string]*types.Package{}, bodies: map[*types.Func]ast.Node{},
		named: map[string][]*types.Func{},
		info:  &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}}
	if _, err := s.Import("pvlab/hypercall"); err != nil {
		t.Fatal(err)
	}
	want, err := s.derive()
	if err != nil {
		t.Fatal(err)
	}
	if *writeErrnos {
		if err := os.WriteFile("errnos.go", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile("errnos.go"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("errnos.go is not what the handlers answer (%v): run go test ./hypercall -run TestErrnos -write-errnos", err)
	}
}
