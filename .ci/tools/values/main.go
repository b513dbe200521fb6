// Prints a values file as JSON, read the way Helm reads it: by sigs.k8s.io/yaml, numbers kept as they are.
// It shows what a chart would see: a tag that is no string here is no string there.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: values FILE")
		os.Exit(2)
	}
	if err := show(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func show(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	values := map[string]any{}
	numbers := func(decoder *json.Decoder) *json.Decoder {
		decoder.UseNumber()
		return decoder
	}
	if err := yaml.Unmarshal(text, &values, numbers); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(values)
}
