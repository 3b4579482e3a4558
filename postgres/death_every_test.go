package postgres_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// deathless are the methods that write and need no death of their own, and why. They are one statement each, of which
// a death leaves all or nothing; and each call is one more, so that a repetition is no repetition. Or they leave nothing behind.
var deathless = map[string]string{
	"Tried":       "counts the tries to start a run: a try that nobody heard of was one",
	"NoteLink":    "keeps each use of a link: used again, it was used twice. What the use comes to dies in desk",
	"KeepMail":    "is the mail server of docket up: a mail that was not acknowledged comes again, as with every mail server",
	"TryContract": "takes back what it wrote, and a death does no more",
}

// writing is SQL that leaves something behind.
var writing = regexp.MustCompile(`(?i)\b(insert into|delete from|update [a-z_]+( [a-z])?\s+set|truncate)\b`)

// Whoever adds a deed adds its death: each exported method of the Store from which SQL that writes can be reached is
// called by a row of the tables of deaths, or has its reason here. The methods are read from the package's source.
func TestEachDeedDies(t *testing.T) {
	writes, dies := writingMethods(t), dyingMethods(t)
	require.Greater(t, len(writes), 80, "the Store's deeds are found")
	for _, method := range writes {
		_, excepted := deathless[method]
		switch {
		case excepted && dies[method]:
			t.Errorf("%s has a death and a reason for none: take the reason out", method)
		case !excepted && !dies[method]:
			t.Errorf("(*Store).%s writes, and no row of deadlyDeeds and its likes calls it: add one to postgres/death_*_test.go", method)
		}
	}
	for method := range deathless {
		require.Contains(t, writes, method, "a reason for what does not write")
	}
}

// writingMethods are the exported methods of Store and what it embeds that reach a statement that writes, by any way through the
// package: each function that its body names may be called.
func writingMethods(t *testing.T) (methods []string) {
	t.Helper()
	files := sources(t, func(name string) bool { return !strings.HasSuffix(name, "_test.go") })
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	check := types.Config{Importer: nothing{}, Error: func(error) {}} // other packages stay unknown: only what is named here counts
	_, _ = check.Check("postgres", fileSet, files, info)

	names, sql := map[types.Object][]types.Object{}, map[types.Object]bool{}
	node := func(id *ast.Ident, body ast.Node) {
		from := info.Defs[id]
		ast.Inspect(body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if to := info.Uses[n]; to != nil {
					if f, ok := to.(*types.Func); ok {
						to = f.Origin()
					}
					names[from] = append(names[from], to)
				}
			case *ast.BasicLit:
				sql[from] = sql[from] || n.Kind == token.STRING && writing.MatchString(n.Value)
			}
			return true
		})
	}
	var exported []*ast.FuncDecl
	for _, f := range files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				node(d.Name, d)
				if d.Recv != nil && d.Name.IsExported() && slices.Contains([]string{"Store", "Reads"}, receiver(d)) {
					exported = append(exported, d)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for _, id := range v.Names {
							node(id, v)
						}
					}
				}
			}
		}
	}
	for _, d := range exported {
		seen := map[types.Object]bool{}
		var reaches func(o types.Object) bool
		reaches = func(o types.Object) bool {
			if seen[o] {
				return false
			}
			seen[o] = true
			return sql[o] || slices.ContainsFunc(names[o], reaches)
		}
		if reaches(info.Defs[d.Name]) {
			methods = append(methods, d.Name.Name)
		}
	}
	slices.Sort(methods)
	return methods
}

// dyingMethods are those that a deed of the tables calls on the store that it is given.
func dyingMethods(t *testing.T) map[string]bool {
	t.Helper()
	dies := map[string]bool{}
	for _, f := range sources(t, func(name string) bool { return strings.HasPrefix(name, "death_") }) {
		ast.Inspect(f, func(n ast.Node) bool {
			deed, ok := n.(*ast.FuncLit)
			if !ok || types.ExprString(deed.Type) != "func(ctx context.Context, s *postgres.Store) error" {
				return true
			}
			ast.Inspect(deed.Body, func(n ast.Node) bool {
				if call, ok := n.(*ast.SelectorExpr); ok && types.ExprString(call.X) == "s" {
					dies[call.Sel.Name] = true
				}
				return true
			})
			return false
		})
	}
	return dies
}

func receiver(d *ast.FuncDecl) string {
	return strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*")
}

var fileSet = token.NewFileSet()

func sources(t *testing.T, wanted func(name string) bool) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range names {
		if wanted(name) {
			f, err := parser.ParseFile(fileSet, name, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			files = append(files, f)
		}
	}
	return files
}

// nothing imports nothing.
type nothing struct{}

func (nothing) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, path[strings.LastIndexByte(path, '/')+1:])
	p.MarkComplete()
	return p, nil
}
