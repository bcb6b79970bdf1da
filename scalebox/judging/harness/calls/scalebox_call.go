// Inside the sandbox: call the submission's function, and write what each call returns.
//
// The lines of standard input and the records on descriptor 5 are those of the harness for Python
// (harness/call.py), and values are written as in harness/common.py.  The types of the parameters
// are found by reflection.  A struct with the fields Val and Next is a node of a linked list, one
// with Val, Left and Right a node of a tree.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

func scaleboxRecord(channel *os.File, index int, kind string, text string) {
	if _, err := fmt.Fprintf(channel, "{\"i\":%d,\"%s\":%s}\n", index, kind, text); err != nil {
		os.Exit(1)
	}
}

func scaleboxCut(words string) string {
	if len(words) > 300 {
		words = words[:300]
	}
	return scaleboxQuoted(strings.ToValidUTF8(words, "?"))
}

// Where in the submission a panic came from.
func scaleboxPlace() string {
	callers := make([]uintptr, 100)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.File, "/solution.go") || frame.File == "solution.go" {
			return fmt.Sprintf(" (solution.go, line %d)", frame.Line)
		}
		if !more {
			return ""
		}
	}
}

// One call: the kind of its record, and the record's text.
func scaleboxAnswer(function reflect.Value, args []any, hasReceiver bool) (kind string, text string) {
	stage := "e"
	defer func() {
		switch failure := recover().(type) {
		case nil:
		case scaleboxUnfit:
			kind, text = "e", scaleboxCut("an argument does not fit: "+failure.words)
		case scaleboxUnserialisable:
			kind, text = "u", scaleboxCut(failure.words)
		default:
			kind, text = stage, scaleboxCut(fmt.Sprint("panic: ", failure)+scaleboxPlace())
		}
	}()
	signature := function.Type()
	given := []reflect.Value{}
	if hasReceiver {
		// A fresh object for each call: one must not prepare the next.
		given = append(given, reflect.New(signature.In(0).Elem()))
	}
	if signature.IsVariadic() || signature.NumIn()-len(given) != len(args) {
		panic(scaleboxUnfit{fmt.Sprintf("the function takes %d arguments, not %d", signature.NumIn()-len(given), len(args))})
	}
	for _, arg := range args {
		value := reflect.New(signature.In(len(given))).Elem()
		scaleboxSet(arg, value)
		given = append(given, value)
	}
	results := function.Call(given)
	var out strings.Builder
	switch len(results) {
	case 0:
		out.WriteString("null")
	case 1:
		scaleboxWrite(&out, results[0], 0)
	default:
		if failure, is := results[len(results)-1].Interface().(error); is && failure != nil {
			return "e", scaleboxCut(failure.Error())
		}
		out.WriteByte('[')
		for at, result := range results {
			if at > 0 {
				out.WriteByte(',')
			}
			scaleboxWrite(&out, result, 1)
		}
		out.WriteByte(']')
	}
	return "v", out.String()
}

func scaleboxCall(function any, hasReceiver bool) {
	channel := os.NewFile(5, "channel")
	all, _ := io.ReadAll(os.Stdin)
	lines := bytes.Split(bytes.TrimSuffix(all, []byte("\n")), []byte("\n"))
	if function == nil {
		header := scaleboxParse(lines[0]).(map[string]any)
		words := fmt.Sprintf("the submission defines no function %v and no Solution with such a method", header["function"])
		scaleboxRecord(channel, -1, "e", scaleboxCut(words))
		os.Exit(0)
	}
	scaleboxRecord(channel, -1, "v", "null")
	for _, line := range lines[1:] {
		one := scaleboxParse(line).([]any)
		index, _ := strconv.Atoi(one[0].(json.Number).String())
		kind, text := scaleboxAnswer(reflect.ValueOf(function), one[1].([]any), hasReceiver)
		scaleboxRecord(channel, index, kind, text)
	}
	// What the submission left running has no say any more.
	os.Exit(0)
}
