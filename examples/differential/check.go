// Reads files as Kustomize and yq do (go.yaml.in/yaml/v3) and as Helm does (sigs.k8s.io/yaml), names the places
// that may be edited, and judges edits that promote made. It shares no code with promote and never edits.
//
// One JSON object a line comes in, one goes out: a text answers with its places, an edit of it with what is wrong.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	helm "sigs.k8s.io/yaml"
)

type question struct {
	// A new text, and how many places of it are wanted.
	Before *string `json:"before"`
	Limit  int     `json:"limit"`
	// An edit of that text.
	edit
}

type edit struct {
	place
	Key   string `json:"key"`
	Value string `json:"value"`
	After string `json:"after"`
}

type place struct {
	Op       string   `json:"op"`
	Document int      `json:"document"`
	Path     []string `json:"path"`
}

type answer struct {
	Unreadable string  `json:"unreadable,omitempty"`
	Places     []place `json:"places,omitempty"`
	Wrong      string  `json:"wrong,omitempty"`
}

// The file that is asked about.
type file struct {
	text       string
	documents  []*yaml.Node
	unreadable error
	// As Helm reads it: the first document.
	helm     any
	helmRead bool
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	var now file
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked question
		if err := json.Unmarshal(line, &asked); err != nil {
			fmt.Fprintln(os.Stderr, "not a question:", err)
			os.Exit(1)
		}
		var said answer
		if asked.Before != nil {
			now = opened(*asked.Before)
			if now.unreadable != nil {
				said.Unreadable = now.unreadable.Error()
			} else {
				said.Places = sample(now.documents, asked.Limit)
			}
		} else if now.unreadable != nil {
			said.Unreadable = now.unreadable.Error()
		} else if err := judge(&now, &asked.edit); err != nil {
			said.Wrong = err.Error()
		}
		answered, err := json.Marshal(said)
		if err != nil {
			panic(err)
		}
		out.Write(append(answered, '\n'))
		out.Flush()
	}
}

func opened(text string) file {
	documents, err := read(text)
	now := file{text: text, documents: documents, unreadable: err}
	if err == nil {
		now.helm, err = readAsHelm(text)
		now.helmRead = err == nil
	}
	return now
}

func read(text string) (documents []*yaml.Node, err error) {
	// Some hostile texts make the reader itself panic: they are unreadable to it.
	defer func() {
		if said := recover(); said != nil {
			err = fmt.Errorf("panic: %v", said)
		}
	}()
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return documents, nil
		} else if err != nil {
			return nil, err
		}
		root := &document
		if root.Kind == yaml.DocumentNode {
			if len(root.Content) != 1 {
				return nil, errors.New("a document without a root")
			}
			root = root.Content[0]
		}
		documents = append(documents, root)
	}
}

func readAsHelm(text string) (value any, err error) {
	defer func() {
		if said := recover(); said != nil {
			err = fmt.Errorf("panic: %v", said)
		}
	}()
	// Go's own guard against bombs only counts what is decoded: a small file is enough.
	if len(text) > 1<<20 {
		return nil, errors.New("too much")
	}
	err = helm.Unmarshal([]byte(text), &value)
	return value, err
}

// At most `limit` places, evenly taken of each kind.
func sample(documents []*yaml.Node, limit int) []place {
	found := map[string][]place{}
	for number, root := range documents {
		walk(root, place{Document: number}, found, 0)
	}
	var taken []place
	for _, op := range []string{"set", "add", "remove"} {
		all := found[op]
		share := limit / 2
		if op != "set" {
			share = limit / 4
		}
		share = min(share, len(all))
		for n := range share {
			taken = append(taken, all[n*len(all)/share])
		}
	}
	return taken
}

func walk(node *yaml.Node, at place, found map[string][]place, depth int) {
	below := func(op, key string) place {
		path := append(append([]string{}, at.Path...), key)
		return place{Op: op, Document: at.Document, Path: path}
	}
	here := place{Op: "set", Document: at.Document, Path: append([]string{}, at.Path...)}
	switch node.Kind {
	case yaml.ScalarNode:
		found["set"] = append(found["set"], here)
	case yaml.AliasNode:
		found["set"] = append(found["set"], here)
		// What is only reached through an alias is to be refused.
		if node.Alias.Kind == yaml.MappingNode && len(node.Alias.Content) > 0 && depth > 0 {
			found["set"] = append(found["set"], below("set", node.Alias.Content[0].Value))
			if len(at.Path) > 0 && at.Path[len(at.Path)-1] == "<<" {
				inherited := append(append([]string{}, at.Path[:len(at.Path)-1]...), node.Alias.Content[0].Value)
				found["set"] = append(found["set"], place{Op: "set", Document: at.Document, Path: inherited})
			}
		}
	case yaml.MappingNode:
		here.Op = "add"
		found["add"] = append(found["add"], here)
		for n := 0; n+1 < len(node.Content); n += 2 {
			if key, named := name(node.Content[n]); named {
				found["remove"] = append(found["remove"], below("remove", key))
				walk(node.Content[n+1], below("", key), found, depth+1)
			}
		}
	case yaml.SequenceNode:
		for n, item := range node.Content {
			walk(item, below("", strconv.Itoa(n)), found, depth+1)
		}
	}
}

// The text of a key that is written out.
func name(key *yaml.Node) (string, bool) {
	if key.Kind == yaml.AliasNode {
		key = key.Alias
	}
	leftOut := key.Value == "" && key.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0
	return key.Value, key.Kind == yaml.ScalarNode && !leftOut
}

func judge(now *file, made *edit) error {
	after, err := read(made.After)
	if err != nil {
		return fmt.Errorf("go-yaml cannot read it any more: %w", err)
	}
	if len(after) != len(now.documents) {
		return fmt.Errorf("go-yaml sees %d documents, not %d", len(after), len(now.documents))
	}
	held := comparison{pairs: map[*yaml.Node]*yaml.Node{}, made: made}
	for number, root := range now.documents {
		var way []string
		if number == made.Document {
			way = append([]string{}, made.Path...)
		}
		if err := held.same(root, after[number], number == made.Document, way); err != nil {
			return fmt.Errorf("go-yaml: %w", err)
		}
	}
	if held.met != 1 {
		return fmt.Errorf("go-yaml met the named place %d times", held.met)
	}
	if err := held.lines(now.text); err != nil {
		return err
	}
	return judgeAsHelm(now, made)
}

type comparison struct {
	pairs map[*yaml.Node]*yaml.Node
	made  *edit
	met   int
	// The value that is set, as it stood.
	at     *yaml.Node
	inFlow bool
}

// Whether two nodes are equal but for what was asked; `on` says that the way goes on below.
func (c *comparison) same(before, after *yaml.Node, on bool, way []string) error {
	c.pairs[before] = after
	wrong := func(what string, was, is any) error {
		return fmt.Errorf("line %d: %s was %q and is %q", before.Line, what, fmt.Sprint(was), fmt.Sprint(is))
	}
	if before.Anchor != after.Anchor {
		return wrong("an anchor", before.Anchor, after.Anchor)
	}
	here := on && len(way) == 0
	if here && c.made.Op == "set" {
		c.met++
		c.at = before
		if after.Kind != yaml.ScalarNode || after.ShortTag() != "!!str" || after.Value != c.made.Value {
			return wrong("the value", before.Value, after.ShortTag()+" "+after.Value)
		}
		return nil
	}
	// An alias has the tag of what it stands for, which may be what is set.
	if before.Kind == yaml.AliasNode && after.Kind == yaml.AliasNode {
		if c.pairs[before.Alias] != after.Alias {
			return wrong("an alias", before.Value, after.Value)
		}
		return nil
	}
	if before.Kind != after.Kind || before.ShortTag() != after.ShortTag() || before.Value != after.Value {
		return wrong("a value", before.ShortTag()+" "+before.Value, after.ShortTag()+" "+after.Value)
	}
	if before.Style != after.Style {
		return wrong("a style", before.Style, after.Style)
	}
	switch before.Kind {
	case yaml.MappingNode:
		if before.Style&yaml.FlowStyle != 0 && on {
			c.inFlow = true
		}
		return c.entries(before, after, on, way)
	case yaml.SequenceNode:
		if before.Style&yaml.FlowStyle != 0 && on {
			c.inFlow = true
		}
		if len(before.Content) != len(after.Content) {
			return wrong("a length", len(before.Content), len(after.Content))
		}
		for n := range before.Content {
			under := on && len(way) > 0 && way[0] == strconv.Itoa(n)
			if err := c.same(before.Content[n], after.Content[n], under, rest(way, under)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *comparison) entries(before, after *yaml.Node, on bool, way []string) error {
	old, new := before.Content, after.Content
	if on && len(way) == 0 && c.made.Op == "add" {
		c.met++
		found := -1
		for n := 0; n+1 < len(new); n += 2 {
			key, value := new[n], new[n+1]
			if key.Value == c.made.Key && key.ShortTag() == "!!str" && value.Kind == yaml.ScalarNode && value.ShortTag() == "!!str" && value.Value == c.made.Value {
				found = n
			}
		}
		if found < 0 {
			return fmt.Errorf("line %d: the new key is not there", before.Line)
		}
		new = append(append([]*yaml.Node{}, new[:found]...), new[found+2:]...)
	}
	if on && len(way) == 1 && c.made.Op == "remove" {
		for n := 0; n+1 < len(old); n += 2 {
			if key, named := name(old[n]); named && key == way[0] {
				c.met++
				old = append(append([]*yaml.Node{}, old[:n]...), old[n+2:]...)
				on = false
				break
			}
		}
	}
	if len(old) != len(new) {
		return fmt.Errorf("line %d: %d keys are there, not %d", before.Line, len(new)/2, len(old)/2)
	}
	for n := 0; n+1 < len(old); n += 2 {
		if err := c.same(old[n], new[n], false, nil); err != nil {
			return err
		}
		key, named := name(old[n])
		under := on && len(way) > 0 && named && key == way[0]
		if err := c.same(old[n+1], new[n+1], under, rest(way, under)); err != nil {
			return err
		}
	}
	return nil
}

func rest(way []string, under bool) []string {
	if !under {
		return nil
	}
	return way[1:]
}

// Whether only the lines changed that had to.
func (c *comparison) lines(before string) error {
	first, gone, come := changed(before, c.made.After)
	wrong := func(what string) error {
		return fmt.Errorf("from line %d on, %d lines became %d: %s", first, gone, come, what)
	}
	switch c.made.Op {
	case "set":
		multi := c.at.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || gone > 1 && breaks(before, c.at, gone)
		if gone == 0 && come == 0 || gone == 1 && come == 1 || multi && come == 1 {
			return nil
		}
		return wrong("a set changes the line of its value")
	case "add":
		// In brackets, the entry before may gain a comma.
		if gone == 0 && come == 1 || c.inFlow && gone >= 1 && come <= gone+1 || endless(before) && gone == 1 && come == 2 {
			return nil
		}
		return wrong("an add brings one line")
	}
	// What a removal takes is held by PyYAML's positions, which end where a value does.
	return nil
}

// Whether a scalar that is written on one line by its style goes over several.
func breaks(before string, node *yaml.Node, gone int) bool {
	lines := strings.Split(before, "\n")
	return node.Line-1+gone <= len(lines) && node.Kind == yaml.ScalarNode
}

func endless(text string) bool {
	return !strings.HasSuffix(text, "\n") && !strings.HasSuffix(text, "\r")
}

// Where lines change: the first of them, and how many became how many.
func changed(before, after string) (first, gone, come int) {
	old, new := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	for first < len(old) && first < len(new) && old[first] == new[first] {
		first++
	}
	end := 0
	for end < len(old)-first && end < len(new)-first && old[len(old)-1-end] == new[len(new)-1-end] {
		end++
	}
	return first + 1, len(old) - first - end, len(new) - first - end
}

// Whether Helm, which takes `yes` for true and JSON for its model, sees the string as well.
func judgeAsHelm(now *file, made *edit) error {
	if !now.helmRead || made.Document != 0 {
		return nil
	}
	after, err := readAsHelm(made.After)
	if err != nil {
		return fmt.Errorf("Helm cannot read it any more: %w", err)
	}
	path := made.Path
	switch made.Op {
	case "add":
		path = append(append([]string{}, path...), made.Key)
	case "remove":
		return nil
	default:
		// A key that Helm knows by another text (`yes`, `1.0`) is not looked for.
		if _, found := lookup(now.helm, path); !found {
			return nil
		}
	}
	if made.Op == "add" {
		if _, found := lookup(now.helm, made.Path); !found {
			return nil
		}
	}
	if value, _ := lookup(after, path); value != any(made.Value) {
		shown, _ := json.Marshal(value)
		return fmt.Errorf("Helm reads %s", bytes.TrimSpace(shown))
	}
	return nil
}

func lookup(value any, path []string) (any, bool) {
	for _, step := range path {
		switch above := value.(type) {
		case map[string]any:
			below, found := above[step]
			if !found {
				return nil, false
			}
			value = below
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n >= len(above) {
				return nil, false
			}
			value = above[n]
		default:
			return nil, false
		}
	}
	return value, true
}
