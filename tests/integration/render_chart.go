// SPDX-License-Identifier: MIT

// render_chart renders the templates of a Helm chart: the template language is Go's own, from its
// standard library; of Helm's functions it has those that our chart uses, as Helm documents them.
//
//	render_chart FILE... <data.json >rendered
//
// data.json: {"Values": {...}, "Release": {...}, "Chart": {...}, "Files": {"Texts": {path: text}}}.
// toYaml writes JSON, which is YAML.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

type files struct {
	Texts map[string]string
}

func (f *files) Get(name string) string { return f.Texts[name] }

func indent(spaces int, text string) string {
	pad := strings.Repeat(" ", spaces)
	return pad + strings.ReplaceAll(text, "\n", "\n"+pad)
}

func quote(value interface{}) string { return fmt.Sprintf("%q", fmt.Sprint(value)) }

func toInt64(value interface{}) (int64, error) {
	switch number := value.(type) {
	case int:
		return int64(number), nil
	case float64:
		return int64(number), nil
	}
	return 0, fmt.Errorf("int64 of %T", value)
}

func toYaml(value interface{}) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

// dict is sprig's: names and values in turn.
func dict(pairs ...interface{}) map[string]interface{} {
	all := map[string]interface{}{}
	for i := 0; i+1 < len(pairs); i += 2 {
		all[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return all
}

func fallback(instead string, value string) string {
	if value == "" {
		return instead
	}
	return value
}

func choose(yes interface{}, no interface{}, which bool) interface{} {
	if which {
		return yes
	}
	return no
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "render_chart:", err)
		os.Exit(1)
	}
}

func main() {
	var data struct {
		Values, Release, Chart map[string]interface{}
		Files                  *files
	}
	all := template.New("chart").Option("missingkey=error")
	all.Funcs(template.FuncMap{
		"default": fallback, "dict": dict, "int64": toInt64, "quote": quote, "ternary": choose,
		"toYaml":  toYaml,
		"nindent": func(spaces int, text string) string { return "\n" + indent(spaces, text) },
		"include": func(name string, dot interface{}) (string, error) {
			var out strings.Builder
			err := all.ExecuteTemplate(&out, name, dot)
			return out.String(), err
		},
	})
	must(json.NewDecoder(os.Stdin).Decode(&data))
	_, err := all.ParseFiles(os.Args[1:]...)
	must(err)
	for _, path := range os.Args[1:] {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "_") {
			continue
		}
		fmt.Printf("---\n# Source: %s\n", name)
		must(all.ExecuteTemplate(os.Stdout, name, data))
		fmt.Println()
	}
}
