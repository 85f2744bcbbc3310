// Reads an env file as Docker Compose does, and writes it as JSON: what `ecluse import env` is compared with.
package main

import (
	"encoding/json"
	"os"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

func main() {
	values, err := dotenv.ParseWithLookup(os.Stdin, func(string) (string, bool) { return "", false })
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(values)
}
