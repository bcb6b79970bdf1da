// Values that go out, as text of ASCII.
package main

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	scaleboxMostDepth = 200
	scaleboxMostNodes = 1000000
)

type scaleboxUnserialisable struct{ words string }

func scaleboxQuoted(text string) string {
	if !utf8.ValidString(text) {
		panic(scaleboxUnserialisable{"a text that is not UTF-8"})
	}
	var out strings.Builder
	out.WriteByte('"')
	for _, unit := range text {
		switch {
		case unit == '"' || unit == '\\':
			out.WriteByte('\\')
			out.WriteRune(unit)
		case unit >= 32 && unit < 127:
			out.WriteRune(unit)
		case unit < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, unit)
		default:
			unit -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xD800+unit>>10, 0xDC00+unit&0x3FF)
		}
	}
	out.WriteByte('"')
	return out.String()
}

func scaleboxWrite(out *strings.Builder, value reflect.Value, depth int) {
	if depth > scaleboxMostDepth {
		panic(scaleboxUnserialisable{"nested more than 200 deep"})
	}
	if !value.IsValid() {
		out.WriteString("null")
		return
	}
	switch value.Kind() {
	case reflect.Bool:
		out.WriteString(strconv.FormatBool(value.Bool()))
	case reflect.String:
		out.WriteString(scaleboxQuoted(value.String()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		out.WriteString(strconv.FormatInt(value.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		scaleboxWriteWhole(out, new(big.Int).SetUint64(value.Uint()))
	case reflect.Float32, reflect.Float64:
		scaleboxWriteReal(out, value.Float())
	case reflect.Slice, reflect.Array:
		out.WriteByte('[')
		for at := 0; at < value.Len(); at++ {
			if at > 0 {
				out.WriteByte(',')
			}
			scaleboxWrite(out, value.Index(at), depth+1)
		}
		out.WriteByte(']')
	case reflect.Map:
		scaleboxWriteMap(out, value, depth)
	case reflect.Interface:
		scaleboxWrite(out, value.Elem(), depth)
	case reflect.Pointer:
		scaleboxWritePointer(out, value, depth)
	default:
		panic(scaleboxUnserialisable{"a value of type " + value.Type().String()})
	}
}

func scaleboxWriteWhole(out *strings.Builder, whole *big.Int) {
	if whole.IsInt64() {
		out.WriteString(whole.String())
	} else {
		out.WriteString(`{"i":"` + whole.Text(16) + `"}`)
	}
}

func scaleboxWriteReal(out *strings.Builder, real float64) {
	switch {
	case math.IsNaN(real):
		out.WriteString(`{"f":"nan"}`)
	case math.IsInf(real, 1):
		out.WriteString(`{"f":"inf"}`)
	case math.IsInf(real, -1):
		out.WriteString(`{"f":"-inf"}`)
	default:
		out.WriteString(strconv.FormatFloat(real, 'e', -1, 64))
	}
}

func scaleboxWriteMap(out *strings.Builder, value reflect.Value, depth int) {
	areTexts := value.Type().Key().Kind() == reflect.String
	keys := value.MapKeys()
	if areTexts {
		sort.Slice(keys, func(a, b int) bool { return keys[a].String() < keys[b].String() })
	}
	open, between, end := `{"d":[`, ",", "]}"
	if areTexts {
		open, between, end = `{"m":{`, ":", "}}"
	}
	out.WriteString(open)
	for at, key := range keys {
		if at > 0 {
			out.WriteByte(',')
		}
		if !areTexts {
			out.WriteByte('[')
		}
		scaleboxWrite(out, key, depth+1)
		out.WriteString(between)
		scaleboxWrite(out, value.MapIndex(key), depth+1)
		if !areTexts {
			out.WriteByte(']')
		}
	}
	out.WriteString(end)
}

func scaleboxWritePointer(out *strings.Builder, value reflect.Value, depth int) {
	kind := value.Type().Elem()
	values := []any{}
	note := func(item any) {
		if len(values) == scaleboxMostNodes {
			panic(scaleboxUnserialisable{"more than a million nodes, or nodes in a circle"})
		}
		values = append(values, item)
	}
	switch {
	case scaleboxHas(kind, "Val", "Next"):
		for ; !value.IsNil(); value = value.Elem().FieldByName("Next") {
			note(value.Elem().FieldByName("Val").Interface())
		}
	case scaleboxHas(kind, "Val", "Left", "Right"):
		waiting := []reflect.Value{value}
		end := 0
		for turn := 0; turn < len(waiting); turn++ {
			node := waiting[turn]
			if node.IsNil() {
				note(nil)
				continue
			}
			note(node.Elem().FieldByName("Val").Interface())
			end = turn + 1
			waiting = append(waiting, node.Elem().FieldByName("Left"), node.Elem().FieldByName("Right"))
		}
		// Of what is missing only what has something after it is told.
		values = values[:end]
	case value.IsNil():
		out.WriteString("null")
		return
	case kind == reflect.TypeOf(big.Int{}):
		scaleboxWriteWhole(out, value.Interface().(*big.Int))
		return
	default:
		scaleboxWrite(out, value.Elem(), depth+1)
		return
	}
	scaleboxWrite(out, reflect.ValueOf(values), depth)
}
